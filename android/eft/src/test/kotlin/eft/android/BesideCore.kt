package eft.android

import org.junit.runners.model.FrameworkMethod
import org.robolectric.RobolectricTestRunner
import org.robolectric.internal.bytecode.InstrumentationConfiguration

/**
 * Robolectric, for tests that use the core. It loads classes once more for its Android; of the core there must be one copy
 * in a process, for the library calls back whoever was loaded last. The core's own classes have to come with it.
 */
class BesideCore(test: Class<*>) : RobolectricTestRunner(test) {
    override fun createClassLoaderConfig(method: FrameworkMethod): InstrumentationConfiguration {
        val builder = InstrumentationConfiguration.Builder(super.createClassLoaderConfig(method))
        for (once in listOf("eft.core.", "com.sun.jna.", "kotlinx.coroutines.", "kotlin.")) builder.doNotAcquirePackage(once)
        return builder.build()
    }
}
