import ArgumentParser
import Foundation
import Models

struct ModelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model", abstract: "Ranking models.", subcommands: [ModelDescribeCommand.self])
}

struct ModelDescribeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "describe",
        abstract: "Check a ranking model's specification and count what it holds and does.",
        discussion: """
            Parameters are trained scalars and kept statistics, operations floating-point operations for one candidate, a
            multiplication and an addition counting two, histories at full length. The engine is what a ranker serves it by:
            `inference`, nets in tiles, or `workspace`, the trained model itself, for the blocks that are named.
            """)

    /// Rows of a table of which nothing is said.
    private static let rowsByDefault = 1_000

    @Argument(help: "JSON file with the specification.")
    var file: String

    @Option(help: "Rows of a table, as TABLE=COUNT; may be repeated. Tables left out count with 1000 rows.")
    var rows: [String] = []

    @Flag(help: "Print the specification, all defaults written out, instead of the table.")
    var specification = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: file))
        } catch {
            throw ValidationError("\(file): cannot be read: \(error.localizedDescription)")
        }
        let read: RankerSpecification
        do {
            read = try RankerSpecification(json: data, path: file)
        } catch {
            throw ValidationError("\(error)")
        }
        if specification {
            print(String(decoding: try read.json(), as: UTF8.self))
            return
        }
        let costs = try read.costs(rows: counts(of: read))
        if json {
            try printJSON(Output(engine: read.engine, workspaceBlocks: read.workspaceBlocks, parts: costs))
        } else {
            print(Self.text(costs), terminator: "")
            print(Self.engine(of: read))
        }
    }

    private struct Output: Codable {
        var engine: RankerNet.Engine
        /// Why it is `workspace`; empty when it is not.
        var workspaceBlocks: [String]
        var parts: [RankerCost]
    }

    private static func engine(of specification: RankerSpecification) -> String {
        let blocks = specification.workspaceBlocks
        return "engine: \(specification.engine.rawValue)"
            + (blocks.isEmpty ? "" : ", for \(blocks.joined(separator: ", "))")
    }

    private func counts(of specification: RankerSpecification) throws -> [String: Int] {
        var result = specification.tables.mapValues { _ in Self.rowsByDefault }
        for pair in rows {
            let parts = pair.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let count = Int(parts[1]), (1...Int(UInt32.max)).contains(count) else {
                throw ValidationError("--rows: expected TABLE=COUNT, found '\(pair)'")
            }
            guard result[String(parts[0])] != nil else {
                throw ValidationError("--rows: there is no table '\(parts[0])' in \(file)")
            }
            result[String(parts[0])] = count
        }
        return result
    }

    private static func text(_ costs: [RankerCost]) -> String {
        var table = TextTable("part", "parameters>", "operations a candidate>")
        for cost in costs { table.add(cost.part, "\(cost.parameters)", "\(cost.operations)") }
        table.add(
            "together", "\(costs.reduce(0) { $0 + $1.parameters })", "\(costs.reduce(0) { $0 + $1.operations })")
        return table.text()
    }
}
