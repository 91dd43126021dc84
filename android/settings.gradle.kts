// Ships the AAR and the sample. Never run here: the Android plugin and the SDK come from where this project's machines
// cannot go. The pom.xml files beside build and test the same sources. See README.md.
pluginManagement {
    repositories {
        google()
        mavenCentral()
        gradlePluginPortal()
    }
}
dependencyResolutionManagement {
    repositoriesMode = RepositoriesMode.FAIL_ON_PROJECT_REPOS
    repositories {
        google()
        mavenCentral()
    }
}
rootProject.name = "eft-android"
include(":eft", ":sample")
