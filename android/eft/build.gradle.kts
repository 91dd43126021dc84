plugins {
    id("com.android.library")
    id("org.jetbrains.kotlin.android")
}

android {
    namespace = "eft.android"
    compileSdk = 35

    defaultConfig {
        // java.time, notification channels, foreground services.
        minSdk = 26
        consumerProguardFiles("consumer-rules.pro")
    }

    sourceSets["main"].apply {
        kotlin.srcDirs("src/main/kotlin", "../../target/uniffi/kotlin")
        // libeft_ffi.so per ABI: ../native.sh.
        jniLibs.srcDirs("../../target/android/jniLibs")
    }

    packaging {
        // Not compressed, and at page boundaries: the loader maps them from the APK, on systems with 16 KiB pages, too.
        jniLibs.useLegacyPackaging = false
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }
}

kotlin {
    jvmToolchain(17)
    explicitApi()
}

dependencies {
    api("org.jetbrains.kotlinx:kotlinx-coroutines-core:1.10.2")
    // The first whose own library is aligned to 16 KiB pages.
    implementation("net.java.dev.jna:jna:5.18.1@aar")
}
