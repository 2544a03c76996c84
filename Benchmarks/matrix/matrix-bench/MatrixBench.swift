import ArgumentParser
import Blobs
import Foundation
import Kernels
import Models
import Recall

/// What the recall builders take for a sparse matrix of likes, the matrix being in memory.
@main
struct MatrixBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "matrix-bench", abstract: "Times ItemCF and ALS on a sparse matrix of likes.",
        subcommands: [ItemCFCommand.self, ALSCommand.self])
}

struct MatrixOptions: ParsableArguments {
    @Argument(help: "Safetensors: offsets U64, columns U32, values U8, items U64 [1].") var matrix: String
    @Argument(help: "File for what is found.") var output: String
    @Option(help: "Threads to compute with.") var threads = Threads.all.count

    /// The matrix by user and by item.
    func read() throws -> InterestMatrix {
        let file = try SafetensorsFile(path: matrix)
        let columns = try file.buffer("columns", as: UInt32.self, shape: [nil])
        let values = try file.buffer("values", as: UInt8.self, shape: [columns.count])
        let items = Int(try file.buffer("items", as: UInt64.self, shape: [1])[0])
        guard columns.allSatisfy({ Int($0) < items }) else {
            throw ValidationError("\(matrix): a column beyond the items")
        }
        let rows = try file.tensor("offsets").shape.first ?? 0
        let offsets = try file.offsets("offsets", spanning: columns.count, rows: rows - 1)
        return InterestMatrix(
            byUser: SparseRows(offsets: offsets.map { Int($0) }, columns: Array(columns), values: Array(values)),
            items: items)
    }
}

func seconds(_ body: () throws -> Void) rethrows -> Double {
    let duration = try ContinuousClock().measure(body)
    return Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
}

struct ItemCFCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "itemcf")

    @OptionGroup var options: MatrixOptions
    @Option(help: "Length of an item's list.") var neighbours = 10

    func run() throws {
        let byUser = try options.read().byUser
        let items = try options.read().byItem.rows
        let builder = ItemCFBuilder(historyMax: .max, neighbours: neighbours, threads: options.threads)
        var similarities = [Float](repeating: 0, count: items * neighbours)
        var lists: NeighbourLists?
        // With the transposition, which the peer's time contains too.
        let passed = seconds {
            lists = builder.similarItems(InterestMatrix(byUser: byUser, items: items), progress: nil)
        }
        for item in 0..<items {
            for (place, neighbour) in (lists?[item] ?? []).enumerated() {
                similarities[item * neighbours + place] = neighbour.similarity
            }
        }
        var writer = SafetensorsWriter()
        writer.add("similarity", similarities, shape: [items, neighbours])
        try writer.write(to: options.output)
        print("{\"seconds\": \(passed)}")
    }
}

struct ALSCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "als")

    @OptionGroup var options: MatrixOptions
    @Option var factors = 64
    @Option var iterations = 10

    func run() throws {
        let matrix = try options.read()
        var specification = MatrixCompletionSpecification()
        specification.factors = factors
        specification.iterations = iterations
        specification.alpha = 1
        specification.regularization = 0.01
        specification.cgSteps = 3
        let completion = MatrixCompletion(specification, seed: 1, threads: options.threads)
        var fit = MatrixFit(completion, matrix.byUser, matrix.byItem)
        let times = (0..<iterations).map { _ in seconds { fit.iterate() } }.sorted()
        var writer = SafetensorsWriter()
        writer.add("users", fit.users, shape: [fit.users.count / factors, factors])
        writer.add("items", fit.items, shape: [fit.items.count / factors, factors])
        try writer.write(to: options.output)
        print("{\"seconds\": \(times[times.count / 2]), \"loss\": \(fit.loss())}")
    }
}
