import Foundation
import Simulation
import Testing

/// The generated world's own functions against the C library's.
@Suite struct PortableMathTests {
    @Test func exponential() {
        for step in -7000...7000 {
            let x = Double(step) * 0.0997
            let expected = exp(x)
            #expect(abs(PortableMath.exp(x) - expected) <= 4 * expected.ulp, "exp(\(x))")
        }
        #expect(PortableMath.exp(0) == 1)
        #expect(PortableMath.exp(-1e9) > 0 && PortableMath.exp(1e9).isFinite)
    }

    @Test func logarithm() {
        for step in 1...20_000 {
            for x in [Double(step) * 0.000_173, Double(step) * 1.37e9, 1 / Double(step)] {
                let expected = log(x)
                #expect(abs(PortableMath.log(x) - expected) <= 4 * max(expected.ulp, 0x1p-53 / 16), "log(\(x))")
            }
        }
        #expect(PortableMath.log(1) == 0)
    }
}
