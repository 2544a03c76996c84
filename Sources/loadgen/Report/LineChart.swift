import Foundation

/// A line chart as inline SVG; colours come from the page's CSS variables.
struct LineChart {
    struct Series {
        var name: String
        /// CSS variable of its colour.
        var colour: String
        var points: [(x: Double, y: Double)]
    }

    struct Tick {
        var at: Double
        var label: String
    }

    var title: String
    var xLabel: String
    var yLabel: String
    var xTicks: [Tick]
    var series: [Series]
    /// Vertical lines with a word, for moments that matter.
    var marks: [Tick] = []

    private static let width = 860.0
    private static let height = 280.0
    private static let left = 60.0
    private static let right = 20.0
    private static let top = 16.0
    private static let bottom = 42.0

    var svg: String {
        let body = [gridLines, xAxis, markLines, lines].joined(separator: "\n")
        return """
            <figure><figcaption>\(title)</figcaption>
            <svg viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" role="img" aria-label="\(title)">
            \(body)
            </svg>\(legend)</figure>
            """
    }

    private var xRange: (Double, Double) {
        let values = series.flatMap(\.points).map(\.x) + xTicks.map(\.at)
        let low = values.min() ?? 0
        return (low, max(values.max() ?? 1, low + 1e-9))
    }

    private var yMax: Double {
        let highest = series.flatMap(\.points).map(\.y).max() ?? 1
        return Self.niceStep(max(highest, 1e-6) / 4) * 4.0
    }

    /// The next of 1, 2, 2.5, 5, 10 ... at or above a value.
    private static func niceStep(_ value: Double) -> Double {
        let magnitude = pow(10, (log10(value)).rounded(.down))
        let steps = [1, 2, 2.5, 5, 10].map { $0 * magnitude }
        return steps.first { $0 >= value * 0.999 } ?? 10 * magnitude
    }

    private func x(_ value: Double) -> Double {
        let (low, high) = xRange
        return Self.left + (value - low) / (high - low) * (Self.width - Self.left - Self.right)
    }

    private func y(_ value: Double) -> Double {
        Self.height - Self.bottom - value / yMax * (Self.height - Self.top - Self.bottom)
    }

    private var gridLines: String {
        let lines = (0...4).map { step in
            let value = yMax * Double(step) / 4
            let at = number(y(value), 1)
            return """
                <line class="grid" x1="\(Self.left)" x2="\(Self.width - Self.right)" y1="\(at)" y2="\(at)"/>\
                <text class="tick" x="\(Self.left - 8)" y="\(at)" dy="4" text-anchor="end">\(label(value))</text>
                """
        }
        return lines.joined(separator: "\n")
            + "\n<text class=\"tick\" x=\"\(Self.left)\" y=\"11\">\(yLabel)</text>"
    }

    private var xAxis: String {
        let base = Self.height - Self.bottom
        let ticks = xTicks.map { tick in
            "<text class=\"tick\" x=\"\(number(x(tick.at), 1))\" y=\"\(base + 18)\" text-anchor=\"middle\">\(tick.label)</text>"
        }
        let middle = (Self.left + Self.width - Self.right) / 2
        return ticks.joined(separator: "\n")
            + "\n<text class=\"tick\" x=\"\(middle)\" y=\"\(Self.height - 6)\" text-anchor=\"middle\">\(xLabel)</text>"
    }

    private var markLines: String {
        marks.map { mark in
            let at = number(x(mark.at), 1)
            return """
                <line class="mark" x1="\(at)" x2="\(at)" y1="\(Self.top)" y2="\(Self.height - Self.bottom)"/>\
                <text class="tick" x="\(at)" y="\(Self.top + 8)" dx="4">\(mark.label)</text>
                """
        }.joined(separator: "\n")
    }

    private var lines: String {
        series.map { line in
            let points = line.points.map { "\(number(x($0.x), 1)),\(number(y($0.y), 1))" }.joined(separator: " ")
            return "<polyline points=\"\(points)\" style=\"stroke:var(\(line.colour))\"/>"
        }.joined(separator: "\n")
    }

    private var legend: String {
        let entries = series.map { "<span><i style=\"background:var(\($0.colour))\"></i>\($0.name)</span>" }
        return "<div class=\"legend\">\(entries.joined())</div>"
    }

    private func label(_ value: Double) -> String {
        number(value, yMax < 4 ? 2 : yMax < 40 ? 1 : 0)
    }
}
