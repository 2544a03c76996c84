import Inference
import Testing

@Suite struct AttentionTests {
    let golden: Golden

    init() throws {
        golden = try Golden()
    }

    private func result(_ request: AttentionRequest, _ name: String, width: Int) throws -> [Float] {
        let (keys, queries) = (try golden.rows("\(name).keys"), try golden.rows("\(name).queries"))
        try golden.floats("\(name).keys").withUnsafeBufferPointer { request.begin($0, count: keys) }
        var y = [Float](repeating: .nan, count: queries * width)
        try golden.floats("\(name).queries").withUnsafeBufferPointer { from in
            y.withUnsafeMutableBufferPointer { request.run(from, rows: queries, into: $0) }
        }
        return y
    }

    @Test func theFactorisedFirstLayerIsTheConcatenations() throws {
        let deep = try NetReader(golden.file).attention("din", width: 9)
        #expect((deep.width, deep.keyWidth) == (9, 11))
        let request = AttentionRequest(deep, keysMax: 20)
        try expectClose(try result(request, "din", width: 11), try golden.floats("din.y"))
        let narrow = try NetReader(golden.file).attention("narrow", width: 32)
        let other = AttentionRequest(narrow, keysMax: 50)
        try expectClose(try result(other, "narrow", width: 32), try golden.floats("narrow.y"))
    }

    @Test func theDotFormIsASoftmaxOverKeys() throws {
        let net = try NetReader(golden.file).attention("dot", width: 11)
        #expect((net.width, net.keyWidth) == (11, 14))
        try expectClose(
            try result(AttentionRequest(net, keysMax: 30), "dot", width: 14), try golden.floats("dot.y"))
    }

    @Test func requestsFollowEachOtherAndMayHaveNoHistory() throws {
        let net = try NetReader(golden.file).attention("din", width: 9)
        let request = AttentionRequest(net, keysMax: 13)
        let first = try result(request, "din", width: 11)
        let none = [Float]()
        none.withUnsafeBufferPointer { request.begin($0, count: 0) }
        var y = [Float](repeating: .nan, count: 22)
        try golden.floats("din.queries").withUnsafeBufferPointer { from in
            y.withUnsafeMutableBufferPointer { request.run(from, rows: 2, into: $0) }
        }
        #expect(y == [Float](repeating: 0, count: 22))
        #expect(try result(request, "din", width: 11) == first)
    }
}
