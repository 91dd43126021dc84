@file:Suppress("unused", "UNUSED_PARAMETER")

package androidx.test.platform.app

import android.app.Instrumentation
import android.os.Bundle

// Robolectric tells androidx.test what happens. That library is not where the others come from, and nobody here listens:
// this and its siblings in this folder are the names and no more.

object InstrumentationRegistry {
    private var instance: Instrumentation? = null

    @JvmStatic
    fun registerInstance(instrumentation: Instrumentation?, arguments: Bundle?) {
        instance = instrumentation
    }

    @JvmStatic
    fun getInstrumentation(): Instrumentation = checkNotNull(instance)
}
