import Foundation

func exponential(_ value: Float) -> Float {
    exp(value)
}

func nowMilliseconds() -> Int64 {
    Int64(Date().timeIntervalSince1970 * 1_000)
}
