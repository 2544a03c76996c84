import ArgumentParser
import Blobs
import Foundation
import Inference
import Kernels

/// Times nets of the inference library on weights that the peers have too, one thread, when it is told to: so that programs
/// can take turns within one measurement.
@main
struct NetsBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nets-bench",
        abstract: """
            Reads lines "NET CALLS" from standard input, answers each with the seconds a call took; "output NET FILE" \
            writes what the net gives.
            """)

    @Argument(help: "Safetensors of weights and inputs, made by measure.py.") var file: String

    func run() throws {
        let cases = try NetCases(SafetensorsFile(path: file))
        say("kernels \(kernels.name)")
        while let line = readLine() {
            let words = line.split(separator: " ").map(String.init)
            if words.count == 3, words[0] == "output", let net = cases[words[1]] {
                net.run()
                var writer = SafetensorsWriter()
                writer.add("y", net.output, shape: [net.output.count])
                try writer.write(to: words[2])
                say("written")
            } else if words.count == 2, let net = cases[words[0]], let calls = Int(words[1]), calls > 0 {
                say("\(seconds { for _ in 0..<calls { net.run() } } / Double(calls))")
            } else {
                throw ValidationError("expected \"NET CALLS\" or \"output NET FILE\", found \"\(line)\"")
            }
        }
    }

    private func say(_ text: String) {
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }

    private func seconds(_ body: () -> Void) -> Double {
        let duration = ContinuousClock().measure(body)
        return Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }
}
