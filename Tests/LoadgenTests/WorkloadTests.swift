import Foundation
import Kernels
import Testing
import loadgen

@Suite struct WorkloadTests {
    @Test func constantArrivalsAreEvenlySpaced() {
        var schedule = ArrivalSchedule(law: .constant, rate: 4, seed: 1)
        #expect((0..<5).map { _ in schedule.next() } == [0, 0.25, 0.5, 0.75, 1])
    }

    /// The gaps of a Poisson process with rate 50 have mean 1/50 and standard deviation 1/50; over 20,000 gaps the mean's
    /// standard error is 0.7 %, so 4 % is more than five of them.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func poissonGapsAreExponential(seed: UInt64) {
        var schedule = ArrivalSchedule(law: .poisson, rate: 50, seed: seed)
        var last = 0.0
        var gaps: [Double] = []
        for _ in 0..<20_000 {
            let next = schedule.next()
            gaps.append(next - last)
            last = next
        }
        #expect(gaps.allSatisfy { $0 >= 0 })
        let mean = gaps.reduce(0, +) / 20_000
        let variance = gaps.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 20_000
        #expect(abs(mean * 50 - 1) < 0.04, "seed \(seed)")
        #expect(abs(variance.squareRoot() * 50 - 1) < 0.06, "seed \(seed)")
    }

    @Test func sameSeedSameArrivals() {
        var first = ArrivalSchedule(law: .poisson, rate: 10, seed: 9)
        var second = ArrivalSchedule(law: .poisson, rate: 10, seed: 9)
        #expect((0..<100).allSatisfy { _ in first.next() == second.next() })
    }

    /// With 4 ranks and exponent 1 the weights are 1, 1/2, 1/3, 1/4: probabilities 12/25, 6/25, 4/25, 3/25.
    @Test func zipfDrawsByItsLaw() {
        let law = ZipfLaw(count: 4, exponent: 1)
        var generator = SeededGenerator(seed: 5)
        var counts = [0, 0, 0, 0]
        for _ in 0..<100_000 { counts[law.draw(&generator)] += 1 }
        for (count, expected) in zip(counts, [0.48, 0.24, 0.16, 0.12]) {
            #expect(abs(Double(count) / 100_000 - expected) < 0.01)
        }
    }

    @Test func zipfOfOneAndOfExponentZero() {
        var generator = SeededGenerator(seed: 6)
        #expect(ZipfLaw(count: 1, exponent: 2).draw(&generator) == 0)
        let uniform = ZipfLaw(count: 10, exponent: 0)
        var counts = Array(repeating: 0, count: 10)
        for _ in 0..<50_000 { counts[uniform.draw(&generator)] += 1 }
        #expect(counts.allSatisfy { abs($0 - 5000) < 400 })
    }

    @Test func userRanges() throws {
        #expect(try UserSource.read("7..9") == ["7", "8", "9"])
        #expect(throws: WorkloadError.self) { try UserSource.read("9..7") }
        #expect(throws: WorkloadError.self) { try UserSource.read("0..99999999999") }
        #expect(throws: WorkloadError.self) { try UserSource.read("/nonexistent/users") }
    }

    @Test func userFilesSkipBlankLines() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("users-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try "anna\n\n bob \r\ncarol".write(to: file, atomically: true, encoding: .utf8)
        #expect(try UserSource.read(file.path) == ["anna", "bob", "carol"])
        try "\n \n".write(to: file, atomically: true, encoding: .utf8)
        #expect(throws: WorkloadError.self) { try UserSource.read(file.path) }
    }
}
