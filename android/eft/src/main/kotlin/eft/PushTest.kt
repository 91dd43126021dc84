package eft

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import eft.core.PushLeg as CoreLeg
import eft.core.PushObstacle as CoreObstacle
import eft.core.PushTest as CoreTest

/** What a self-test of pushes came to: [Account.testPush]. */
public sealed interface PushTest {
    /** A push came, this long after the server had a reason to send it. [PushHealth.Proven] from now on. */
    public data class Arrived(val after: Duration) : PushTest

    /** None came in time; it was probably lost there. [PushHealth.Stale] from now on, until one comes. */
    public data class Missed(val leg: PushLeg) : PushTest

    /** The server has no reason to push, so that nothing was tried. */
    public data class NotPossible(val obstacle: PushObstacle) : PushTest
}

/** A part of a push's way. */
public sealed interface PushLeg {
    /** The account's server did not deliver to this device what it would have had to push for. */
    public data object Server : PushLeg

    /** The account's server does not reach the app's: it is down, or its address is wrong, or the two do not federate. */
    public data class ServerToAppServer(val reason: String) : PushLeg

    /**
     * The account's server reaches the app's, or cannot tell. Perhaps the token is old, the app server's account with Google
     * does not work, or the phone saves power: register anew with a fresh token.
     */
    public data object AppServerToPhone : PushLeg
}

/** Why the server has no reason to push. */
public sealed interface PushObstacle {
    /** [Account.registerPush] was not called. */
    public data object NotRegistered : PushObstacle

    /** The server refuses to push, or cannot. */
    public data class Refused(val reason: String) : PushObstacle

    /** The server keeps no streams (XEP-0198). It may push all the same; that cannot be tested. */
    public data object NoResumption : PushObstacle
}

internal fun CoreTest.mapped(): PushTest = when (this) {
    is CoreTest.Arrived -> PushTest.Arrived(afterMs.toLong().milliseconds)
    is CoreTest.Missed -> PushTest.Missed(
        when (val leg = leg) {
            CoreLeg.Server -> PushLeg.Server
            is CoreLeg.ServerToAppServer -> PushLeg.ServerToAppServer(leg.reason)
            CoreLeg.AppServerToPhone -> PushLeg.AppServerToPhone
        },
    )
    is CoreTest.NotPossible -> PushTest.NotPossible(
        when (val obstacle = obstacle) {
            CoreObstacle.NotRegistered -> PushObstacle.NotRegistered
            is CoreObstacle.Refused -> PushObstacle.Refused(obstacle.reason)
            CoreObstacle.NoResumption -> PushObstacle.NoResumption
        },
    )
}
