import ArgumentParser
import Foundation
import Kernels

/// How well ranking models tell clicks, on public data that is split already.
@main
struct CTRBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ctr-bench",
        abstract: "Trains models on a data set of click prediction, in libFM's format, and tests them.",
        discussion: "Prints a line of JSON for each run.")

    @Argument(help: "The folder of NAME.train.libfm, NAME.validation.libfm and NAME.test.libfm.")
    var folder: String
    @Argument(help: "The file of the models.")
    var file: String
    @Option(help: "The data set's name.")
    var name = "frappe"
    @Option(help: "The models to train, separated by commas.")
    var models: String?
    @Option(help: "Runs of each model, from seed 1.")
    var seeds = 3
    @Option(help: "Threads.")
    var threads = ProcessInfo.processInfo.activeProcessorCount

    /// What a run came to.
    private struct Line: Encodable {
        var model: String
        var seed: Int
        var validation: Fit.Quality
        var test: Fit.Quality
        var seconds: Double
    }

    func run() throws {
        let parts = try Parts(folder: folder, name: name)
        let wanted = models?.split(separator: ",").map(String.init)
        for contender in try Contender.read(file) where wanted?.contains(contender.name) ?? true {
            for seed in 1...max(1, seeds) {
                let start = ContinuousClock.now
                let fit = try Fit(contender, tables: parts.tables, seed: UInt64(seed), threads: Threads(threads))
                let validation = fit.run(train: parts.train, validation: parts.validation) { epoch, loss, found in
                    Self.tell("\(contender.name), seed \(seed), epoch \(epoch): loss \(loss), validated \(found)")
                }
                let seconds = (ContinuousClock.now - start) / .seconds(1)
                let line = Line(
                    model: contender.name, seed: seed, validation: validation, test: fit.quality(parts.test),
                    seconds: seconds)
                print(String(decoding: try JSONEncoder().encode(line), as: UTF8.self))
            }
        }
    }

    private static func tell(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }
}
