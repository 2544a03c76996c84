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
            FILE is the specification of a ranking model, or the models' specification, as `trainer specification` prints it, \
            of which the ranker is described: with --data for that data set, without it for one that is assumed, and told.

            Parameters are trained scalars and kept statistics, operations floating-point operations for one candidate, a
            multiplication and an addition counting two, histories at full length. The engine is what a ranker serves it by:
            `inference`, nets in tiles, or `workspace`, the trained model itself, for the blocks that are named.
            """)

    @Argument(help: "JSON file with the specification.")
    var file: String

    @Option(
        help: """
            Rows of a table, as TABLE=COUNT; may be repeated. Of the models' specification, profile.NAME=COUNT is a profile \
            field too, context.NAME=COUNT a context field. Tables left out count with \(DescribedModel.rowsByDefault) rows.
            """)
    var rows: [String] = []

    @Option(help: "Directory of a data set whose fields, heads and sizes count; of the models' specification only.")
    var data: String?

    @Flag(help: "Print the specification, all defaults written out, instead of the table.")
    var specification = false

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        if data != nil, !rows.isEmpty { throw ValidationError("--rows: not with --data, which tells them") }
    }

    func run() async throws {
        let model: DescribedModel
        do {
            model = try DescribedModel.read(file, rows: counts(), data: data)
        } catch {
            throw ValidationError("\(error)")
        }
        if specification {
            print(String(decoding: try model.net.json(), as: UTF8.self))
            return
        }
        let costs = try model.net.costs(rows: model.rows)
        if json {
            try printJSON(
                Output(
                    engine: model.net.engine, workspaceBlocks: model.net.workspaceBlocks, rows: model.rows,
                    notes: model.notes, parts: costs))
        } else {
            print(Self.text(costs), terminator: "")
            print(Self.engine(of: model.net))
            for note in model.notes { print(note) }
        }
    }

    private struct Output: Codable {
        var engine: RankerNet.Engine
        /// Why it is `workspace`; empty when it is not.
        var workspaceBlocks: [String]
        /// Of each table.
        var rows: [String: Int]
        /// What was assumed, and what is not as the file says.
        var notes: [String]
        var parts: [RankerCost]
    }

    private static func engine(of specification: RankerSpecification) -> String {
        let blocks = specification.workspaceBlocks
        return "engine: \(specification.engine.rawValue)"
            + (blocks.isEmpty ? "" : ", for \(blocks.joined(separator: ", "))")
    }

    private func counts() throws -> [String: Int] {
        var result: [String: Int] = [:]
        for pair in rows {
            let parts = pair.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let count = Int(parts[1]), (1...Int(UInt32.max)).contains(count) else {
                throw ValidationError("--rows: expected TABLE=COUNT, found '\(pair)'")
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
