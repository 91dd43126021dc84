//! What a library is made of, by the crates that its symbols name.

use std::collections::BTreeMap;

/// Bytes by crate. Everything of C that is not *ring*'s is SQLCipher: there is no third one.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sizes(BTreeMap<String, u64>);

impl Sizes {
    /// Adds up what `nm --demangle --print-size --defined-only` says: address, size, kind and name.
    #[must_use]
    pub fn of(symbols: &str) -> Self {
        let mut sizes = Self::default();
        for line in symbols.lines() {
            let mut words = line.splitn(4, ' ');
            // A symbol without a size has three words.
            let (Some(_), Some(size), Some(kind), Some(name)) =
                (words.next(), words.next(), words.next(), words.next())
            else {
                continue;
            };
            // What is zero at the start takes no place in the file.
            if let (Ok(size), false) = (u64::from_str_radix(size, 16), matches!(kind, "b" | "B")) {
                *sizes.0.entry(owner(name).to_owned()).or_default() += size;
            }
        }
        sizes
    }

    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// The largest, first; then those that are left, together as `others`.
    #[must_use]
    pub fn largest(&self, count: usize) -> Vec<(&str, u64)> {
        let mut all: Vec<_> = self
            .0
            .iter()
            .map(|(name, &size)| (name.as_str(), size))
            .collect();
        all.sort_by_key(|&(_, size)| std::cmp::Reverse(size));
        let others = all
            .drain(count.min(all.len())..)
            .map(|(_, size)| size)
            .sum();
        all.push(("others", others));
        all
    }
}

/// The crate of a function or a constant: that of the type, where a trait's method is a type's.
fn owner(name: &str) -> &str {
    if name.starts_with("ring_core_") {
        return "ring";
    }
    let mut path = name;
    loop {
        let before = path;
        for prefix in [
            "<", "&", "*const ", "*mut ", "mut ", "dyn ", "[", "(", "'_ ",
        ] {
            path = path.strip_prefix(prefix).unwrap_or(path);
        }
        if path == before {
            break;
        }
    }
    let end = path
        .find(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .unwrap_or(path.len());
    let (first, rest) = path.split_at(end);
    if rest.starts_with("::") || (rest.starts_with('[') && rest.contains("]::")) {
        return match first {
            "core" | "alloc" | "std" | "hashbrown" | "compiler_builtins" | "gimli"
            | "addr2line" | "rustc_demangle" | "object" | "miniz_oxide" | "memchr" => "std",
            crate_name => crate_name,
        };
    }
    if path.len() < name.len() {
        // A trait's method for a type that is nobody's: `<u32 as …>::…`.
        return "std";
    }
    if ["uniffi_", "ffi_", "UNIFFI_"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
    {
        return "uniffi exports";
    }
    if ["rust_", "__rust", "_R", "anon.", "str.", ".L"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
    {
        return "std";
    }
    "SQLCipher (C)"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_belongs_to_the_crate_that_it_names() {
        for (name, wanted) in [
            ("eft_store::store::Store::open", "eft_store"),
            ("eft_store[1a2b]::store::Store::open", "eft_store"),
            (
                "<eft_xmpp::driver::Reply<T> as core::ops::drop::Drop>::drop",
                "eft_xmpp",
            ),
            ("<&mut rustls::Stream as std::io::Read>::read", "rustls"),
            ("<(dyn tokio::Thing) as core::fmt::Debug>::fmt", "tokio"),
            ("<u32 as core::fmt::Display>::fmt", "std"),
            ("core::ptr::drop_in_place<eft::pump::Pump>", "std"),
            ("sqlite3VdbeExec", "SQLCipher (C)"),
            ("ring_core_0_17_14__x25519", "ring"),
            ("uniffi_eft_ffi_fn_func_text_max_bytes", "uniffi exports"),
            ("UNIFFI_META_EFT_FFI_FUNC_TEXT_MAX_BYTES", "uniffi exports"),
        ] {
            assert_eq!(owner(name), wanted, "{name}");
        }
    }

    #[test]
    fn sizes_add_up_and_what_is_left_is_told() {
        let sizes = Sizes::of(
            "0000000000001000 0000000000000010 t eft::a\n0000000000001010 00000000000000f0 T eft::b\n\
             0000000000002000 0000000000000020 r tokio::c\n0000000000003000 T no_size\n\
             0000000000004000 0000000000001000 b eft::ZEROES\n0000000000005000 0000000000000001 t sqlite3_open\n",
        );
        assert_eq!(sizes.total(), 0x121);
        assert_eq!(sizes.largest(1), [("eft", 0x100), ("others", 0x21)]);
        assert_eq!(
            sizes.largest(9),
            [
                ("eft", 0x100),
                ("tokio", 0x20),
                ("SQLCipher (C)", 1),
                ("others", 0)
            ]
        );
    }
}
