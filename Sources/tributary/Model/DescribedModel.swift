import ArgumentParser
import Catalog
import Features
import Foundation
import Models
import Training

/// A ranking model that a file specifies, with the sizes that the file leaves to the data.
struct DescribedModel {
    var net: RankerSpecification
    /// Rows of each of its tables.
    var rows: [String: Int]
    /// What was assumed, and what is not as the file says; a line each.
    var notes: [String] = []

    /// Rows of a table of which nothing is said.
    static let rowsByDefault = 1_000

    /// - Parameters:
    ///   - given: rows of tables, by name.
    ///   - data: directory of the data set that tells the sizes of a models' specification.
    static func read(_ file: String, rows given: [String: Int], data: String?) throws -> DescribedModel {
        let json: Data
        do {
            json = try Data(contentsOf: URL(filePath: file))
        } catch {
            throw ValidationError("\(file): cannot be read: \(error.localizedDescription)")
        }
        guard try ModelSpecification.isWritten(in: json, path: file) else {
            guard data == nil else { throw ValidationError("--data: \(file) is not the models' specification") }
            let net = try RankerSpecification(json: json, path: file)
            return DescribedModel(net: net, rows: try counts(net.tables.keys.sorted(), given, file))
        }
        let specification = try ModelSpecification(json: json, path: file)
        do {
            var model =
                try data.map { try made(specification, of: Dataset(directory: $0)) }
                ?? assumed(specification.ranker, given, file)
            if !specification.ranker.enabled { model.notes.append("ranker.enabled is false: it is not trained") }
            return model
        } catch let error as ModelError {
            throw ValidationError("\(file): \(error)")
        } catch let error as FeatureError {
            throw ValidationError("\(file): ranker.features: \(error)")
        } catch let error as TrainingError {
            throw ValidationError("\(file): \(error.message.trimmingPrefix("--specification: "))")
        }
    }

    /// As a training run on a data set would make it.
    private static func made(_ specification: ModelSpecification, of dataset: Dataset) throws -> DescribedModel {
        var options = TrainingOptions()
        options.specification = specification
        let (outline, rows) = try RankerOutline.whole(dataset, options: options)
        var notes = ["for the data set \(dataset.name)"]
        if !outline.headsLeftOut.isEmpty {
            notes.append("left out, without both outcomes in the log: \(outline.headsLeftOut.joined(separator: ", "))")
        }
        return DescribedModel(net: outline.net, rows: rows, notes: notes)
    }

    /// For a data set that has all that features read and teaches every head, with the profile and context fields that have
    /// rows.
    private static func assumed(
        _ ranker: RankingSpecification, _ given: [String: Int], _ file: String
    ) throws -> DescribedModel {
        try ranker.validate()
        func fields(_ prefix: String) -> [String] {
            given.keys.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }.sorted()
        }
        func list(_ names: [String]) -> String { names.isEmpty ? "none" : names.joined(separator: ", ") }
        let (profile, contexts) = (fields("profile."), fields("context."))
        let schema = try ranker.schema(
            for: FeatureSupply(profile: profile, contexts: contexts), days: .infinity)
        let (tables, fixed) = (schema.tables.sorted(), schema.fixedRows)
        let assumed = tables.filter { given[$0] == nil && fixed[$0] == nil }
        return DescribedModel(
            net: try ranker.net(schema) { _ in true },
            rows: try counts(tables, fixed.filter { tables.contains($0.key) }.merging(given) { $1 }, file),
            notes: [
                "assumed: context fields: \(list(contexts)); profile fields: \(list(profile)); "
                    + "a log that teaches every head; \(rowsByDefault) rows of \(assumed.joined(separator: ", "))",
                "--data DIR describes it for a data set, --rows TABLE=COUNT sets rows, profile fields (profile.NAME) and "
                    + "context fields (context.NAME)",
            ])
    }

    private static func counts(_ tables: [String], _ given: [String: Int], _ file: String) throws -> [String: Int] {
        for name in given.keys.sorted() where !tables.contains(name) {
            throw ValidationError(
                "--rows: there is no table '\(name)' in \(file); there are \(tables.joined(separator: ", "))")
        }
        return Dictionary(uniqueKeysWithValues: tables.map { ($0, given[$0] ?? rowsByDefault) })
    }
}
