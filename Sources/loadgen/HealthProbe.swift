import Messages
import RPC

/// Asks whether anybody is there, without counting as a request.
enum HealthProbe {
    static let method = HealthMethods.check
    static let request = Health.HealthCheckRequest()
}
