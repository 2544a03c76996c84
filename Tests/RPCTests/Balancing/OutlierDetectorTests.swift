import NIOCore
import RPC
import Testing

struct OutlierDetectorTests {
    private func fail(_ detector: inout OutlierDetector, _ replica: Int, times: Int, at time: NIODeadline) -> [Bool] {
        (0..<times).map { _ in detector.record(success: false, of: replica, now: time) }
    }

    @Test func fiveFailuresInARowEject() {
        var detector = OutlierDetector(replicas: 3, now: at(0))
        #expect(fail(&detector, 1, times: 4, at: at(1)) == [false, false, false, false])
        #expect(detector.record(success: true, of: 1, now: at(1)) == false)
        #expect(fail(&detector, 1, times: 5, at: at(2)) == [false, false, false, false, true])
        #expect(detector.isEjected(1))
        #expect(!detector.isEjected(0) && !detector.isEjected(2))
    }

    @Test("Ejections last 30 s, 60 s ... and decay while the replica stays in")
    func ejectionTime() {
        var detector = OutlierDetector(replicas: 2, now: at(0))
        _ = fail(&detector, 0, times: 5, at: at(1))
        #expect(detector.advance(to: at(30.9)) == false)
        #expect(detector.isEjected(0))
        #expect(detector.advance(to: at(31)) == true)
        #expect(!detector.isEjected(0))

        // At once again, before any interval has passed: the second in a row lasts twice as long. The sweep at 40.9 s
        // does not decay the count of a replica that is out.
        _ = fail(&detector, 0, times: 5, at: at(31))
        _ = detector.advance(to: at(90.9))
        #expect(detector.isEjected(0))
        #expect(detector.advance(to: at(91)) == true)
        #expect(!detector.isEjected(0))

        // Two intervals in, and the next ejection is a first one again.
        _ = detector.advance(to: at(111))
        _ = detector.advance(to: at(122))
        _ = fail(&detector, 0, times: 5, at: at(122))
        #expect(detector.isEjected(0))
        #expect(detector.advance(to: at(152)) == true)
        #expect(!detector.isEjected(0))
    }

    @Test func ejectionTimeIsCapped() {
        var configuration = OutlierConfiguration()
        configuration.ejectionMaximum = .seconds(45)
        configuration.interval = .seconds(10_000)
        var detector = OutlierDetector(configuration, replicas: 2, now: at(0))
        var now = 1.0
        for _ in 0..<5 {
            _ = fail(&detector, 0, times: 5, at: at(now))
            now += 45
            _ = detector.advance(to: at(now))
            #expect(!detector.isEjected(0))
        }
    }

    @Test("At most the stated share is out", arguments: [(1, 0), (2, 1), (3, 1), (4, 2), (10, 5)])
    func share(replicas: Int, out: Int) {
        var detector = OutlierDetector(replicas: replicas, now: at(0))
        for replica in 0..<replicas {
            _ = fail(&detector, replica, times: 20, at: at(1))
        }
        #expect((0..<replicas).count { detector.isEjected($0) } == out)
    }

    /// Success rates .99, .99, .99, .99, .99, .50: mean .9083, deviation .1826, threshold .5614 (by hand).
    @Test func lowSuccessRateEjectsAtTheSweep() {
        var configuration = OutlierConfiguration()
        configuration.consecutiveFailures = 0
        var detector = OutlierDetector(configuration, replicas: 6, now: at(0))
        for call in 0..<200 {
            for replica in 0..<5 {
                _ = detector.record(success: call % 100 != 0, of: replica, now: at(1))
            }
            _ = detector.record(success: call % 2 == 0, of: 5, now: at(1))
        }
        #expect(detector.advance(to: at(9.9)) == false)
        #expect(detector.advance(to: at(10)) == true)
        #expect((0..<6).filter { detector.isEjected($0) } == [5])
    }

    @Test("Rates are not compared below five replicas or a hundred calls", arguments: [(4, 200), (6, 99)])
    func tooLittleToCompare(replicas: Int, calls: Int) {
        var configuration = OutlierConfiguration()
        configuration.consecutiveFailures = 0
        var detector = OutlierDetector(configuration, replicas: replicas, now: at(0))
        for call in 0..<calls {
            for replica in 0..<replicas {
                _ = detector.record(success: replica > 0 || call % 2 == 0, of: replica, now: at(1))
            }
        }
        #expect(detector.advance(to: at(10)) == false)
        #expect(!(0..<replicas).contains { detector.isEjected($0) })
    }
}
