#if canImport(Glibc)
    public import Glibc
#else
    public import Darwin
#endif

/// Natural logarithm.
@inlinable
public func logarithm(_ x: Float) -> Float { logf(x) }

/// e to the x.
@inlinable
public func exponential(_ x: Float) -> Float { expf(x) }

/// base^exponent for exponent >= 0.
public func power(_ base: Double, _ exponent: Int) -> Double { pow(base, Double(exponent)) }

/// 1 / (1 + exp(-x)).
@inlinable
public func sigmoid(_ x: Float) -> Float { 1 / (1 + expf(-x)) }

/// log(1 + exp(x)) without overflow.
@inlinable
public func softplus(_ x: Float) -> Float { max(x, 0) + log1pf(expf(-abs(x))) }
