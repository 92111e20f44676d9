// What the library takes of the platform: the C library's mathematics, and of Foundation the part without the tables of
// ICU, which would be forty of the megabytes that a Python wheel carries.
#if canImport(FoundationEssentials)
    @_exported import FoundationEssentials
#else
    @_exported import Foundation
#endif
#if canImport(Glibc)
    @_exported import Glibc
#elseif canImport(Musl)
    @_exported import Musl
#endif
