package eft

import eft.core.uniffiEnsureInitialized
import kotlin.test.Test

class LibraryTest {
    /** Loads the library and compares every function's checksum with the one the Kotlin was generated from. */
    @Test
    fun `library and generated Kotlin belong together`() {
        uniffiEnsureInitialized()
    }
}
