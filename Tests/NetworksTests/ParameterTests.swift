import Blobs
import Foundation
import Networks
import Testing

@Suite struct ParameterTests {
    @Test func valuesDependOnTheSeedAndTheNameOnly() throws {
        let first = ParameterSet(seed: 1)
        let a = try first.matrix("a", rows: 4, columns: 5, initial: .he)
        let b = try first.matrix("b", rows: 4, columns: 5, initial: .he)
        let second = ParameterSet(seed: 1)
        let again = try second.matrix("b", rows: 4, columns: 5, initial: .he)
        let other = try ParameterSet(seed: 2).matrix("b", rows: 4, columns: 5, initial: .he)
        #expect(b.array == again.array)
        #expect(a.array != b.array)
        #expect(b.array != other.array)
    }

    @Test func initialValuesFollowTheirDistribution() throws {
        let parameters = ParameterSet(seed: 3)
        func deviation(_ values: [Float]) -> Float {
            (values.reduce(0) { $0 + $1 * $1 } / Float(values.count)).squareRoot()
        }
        let he = try parameters.matrix("he", rows: 200, columns: 300, initial: .he)
        #expect(abs(deviation(he.array) - 0.1) < 0.002)  // sqrt(2 / 200)
        let glorot = try parameters.matrix("glorot", rows: 200, columns: 400, initial: .glorot)
        #expect(abs(deviation(glorot.array) - 0.1 / Float(3).squareRoot()) < 0.002)  // uniform in +-sqrt(6 / 600)
        #expect(glorot.array.allSatisfy { abs($0) <= 0.1 })
        let table = try parameters.table("t", rows: 1000, width: 60, initial: .normal(deviation: 0.3))
        #expect(abs(deviation(table.array) - 0.3) < 0.006)
        #expect(try parameters.matrix("one", rows: 1, columns: 3, initial: .ones).array == [1, 1, 1])
    }

    @Test(arguments: [ParameterSet.Purpose.training, .serving])
    func parametersComeBackFromTheirFile(_ purpose: ParameterSet.Purpose) throws {
        let parameters = ParameterSet(seed: 1)
        let matrix = try parameters.matrix("m", rows: 3, columns: 5, initial: .he)
        let table = try parameters.table("t", rows: 7, width: 2)
        let stored = try ServingTests.reload(parameters, prefix: "x.", for: purpose)
        #expect(try stored.matrix("m", rows: 3, columns: 5, initial: .zeros).array == matrix.array)
        let storedTable = try stored.table("t", rows: 7, width: 2)
        #expect(storedTable.array == table.array)
        #expect(storedTable.row(6) == Array(table.array[12..<14]))
        #expect(stored.count == 29)
    }

    @Test func aFileOfAnotherModelIsRefusedByName() throws {
        let parameters = ParameterSet(seed: 1)
        _ = try parameters.matrix("m", rows: 3, columns: 5, initial: .he)
        let stored = try ServingTests.reload(parameters, for: .serving)
        let wrongShape = #expect(throws: NetworkError.self) {
            try stored.matrix("m", rows: 5, columns: 3, initial: .he)
        }
        #expect(wrongShape?.code == .mismatch)
        #expect(wrongShape?.description.contains("m [5, 3]") == true)
        let missing = #expect(throws: NetworkError.self) { try stored.table("absent", rows: 1, width: 1) }
        #expect(missing?.description.contains("absent") == true)
    }

    @Test func valuesThatAreNotFiniteAreNotWritten() throws {
        let parameters = ParameterSet(seed: 1)
        let table = try parameters.table("t", rows: 1, width: 2)
        table.assign([1, .nan])
        var writer = SafetensorsWriter()
        let error = #expect(throws: NetworkError.self) { try parameters.write(to: &writer) }
        #expect(error?.code == .notFinite)
        #expect(error?.message.contains("t") == true)
    }

    @Test(arguments: [ParameterSet.Purpose.training, .serving])
    func matricesThatAreNotFiniteAreNotLoaded(_ purpose: ParameterSet.Purpose) throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).safetensors").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        var writer = SafetensorsWriter()
        writer.add("m", [Float(1), .infinity], shape: [1, 2])
        try writer.write(to: path)
        let stored = ParameterSet(file: try SafetensorsFile(path: path), purpose: purpose)
        let error = #expect(throws: NetworkError.self) {
            try stored.matrix("m", rows: 1, columns: 2, initial: .zeros)
        }
        #expect(error?.code == .notFinite)
    }
}
