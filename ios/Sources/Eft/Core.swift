import EftGenerated

// The generated objects share their names with those of this module; here they are called after the core they drive.
typealias CoreEft = EftGenerated.Eft
typealias CoreAccount = EftGenerated.Account
typealias CoreConversation = EftGenerated.Conversation
typealias CoreSubscription = EftGenerated.Subscription
typealias CoreObserver = EftGenerated.AccountObserver
typealias CoreError = EftGenerated.EftError
typealias CoreConnectOptions = EftGenerated.ConnectOptions
typealias CoreNetwork = EftGenerated.Network
typealias CoreResolver = EftGenerated.Resolver
typealias CoreCertificateVerifier = EftGenerated.CertificateVerifier
typealias CoreSecretStore = EftGenerated.SecretStore
typealias CoreSecretStoreError = EftGenerated.SecretStoreError

/// Calls the core, and turns what it throws into the public error.
func mapped<Value>(_ call: () throws -> Value) throws(EftError) -> Value {
    do { return try call() } catch { throw EftError(error) }
}

/// Waits for the core, and no longer than the task lives: generated code does not look at cancellation. The core's
/// answer is then dropped; the work itself belongs to threads of the core.
func waiting<Value: Sendable>(_ call: @escaping @Sendable () async throws -> Value) async throws(EftError) -> Value {
    if Task.isCancelled { throw .cancelled }
    let (answers, answer) = AsyncStream<Result<Value, EftError>>.makeStream()
    Task {
        do {
            answer.yield(.success(try await call()))
        } catch {
            answer.yield(.failure(EftError(error)))
        }
        answer.finish()
    }
    // Without an answer the stream ends only because this task was cancelled.
    for await answer in answers { return try answer.get() }
    throw .cancelled
}
