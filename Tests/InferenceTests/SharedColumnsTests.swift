import Inference
import Testing

/// Which columns are multiplied apart.
@Suite struct SharedColumnsTests {
    @Test func neighboursAreOneRange() {
        var columns = SharedColumns()
        columns.append(20, isShared: true)
        columns.append(4, isShared: true)
        columns.append(3, isShared: false)
        columns.append(0, isShared: true)
        columns.append(5, isShared: false)
        columns.append(30, isShared: true)
        #expect(columns.count == 62)
        #expect(columns.shared == [0..<24, 32..<62] && columns.given == columns.shared)
        #expect(columns.own == [24..<32])
        columns.removeAll()
        #expect(columns.count == 0 && columns.shared.isEmpty && columns.own.isEmpty && columns.given.isEmpty)
    }

    @Test func aFewSharedColumnsAreMultipliedWithTheOthers() {
        var columns = SharedColumns()
        columns.append(8, isShared: false)
        columns.append(15, isShared: true)
        columns.append(8, isShared: false)
        columns.append(16, isShared: true)
        columns.append(1, isShared: false)
        columns.append(2, isShared: true)
        #expect(columns.given == [8..<23, 31..<47, 48..<50])
        #expect(columns.shared == [31..<47, 48..<50])
        #expect(columns.own == [0..<31, 47..<48])
    }
}
