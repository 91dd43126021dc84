//! Prints what a built library exports to Kotlin and Swift, one line per item, in an order that does not depend on
//! the build: `eft-api LIBRARY`. `bindings/api.txt` is what was agreed on; `tests/check/api.sh` compares.
//!
//! | Line | Means |
//! |---|---|
//! | `Type: kind` | an object, record, enum, error, or a trait that the host implements |
//! | `Type.name: type` | a field of a record; fields stand in their order, which is the constructor's |
//! | `Type.Name(field: type)` | a variant of an enum or error; variants stand in their order, too |
//! | `Type.name(argument: type) -> type throws Error` | a method; `async` and `constructor` stand in front |
//! | `Type: Debug` | a record that is printed by the core, without its secrets |
//!
//! `type?` may be absent, `[type]` is a list, `= …` has a default.

#![allow(
    clippy::print_stdout,
    reason = "the program's whole purpose is what it prints"
)]

use std::error::Error;

use uniffi_bindgen::macro_metadata::extract_from_library;
use uniffi_meta::{
    DefaultValueMetadata, FieldMetadata, FnParamMetadata, LiteralMetadata, Metadata, Type,
    UniffiTraitMetadata,
};

fn main() -> Result<(), Box<dyn Error>> {
    let library = std::env::args().nth(1).ok_or("usage: eft-api LIBRARY")?;
    for line in surface(&extract_from_library(library.as_str().into())?)? {
        println!("{line}");
    }
    Ok(())
}

/// The lines: types in the order of their names, free functions last.
fn surface(items: &[Metadata]) -> Result<Vec<String>, String> {
    let mut lines = Vec::new();
    for item in items {
        // Sorted by type, then by what stands inside of it: 0 the type, 1 constructors, 2 fields and variants, which
        // keep their order, 3 methods.
        let mut add = |owner: &str, rank: u8, place: usize, line: String| {
            lines.push((owner.to_owned(), rank, place, line));
        };
        match item {
            Metadata::Namespace(_) => {}
            Metadata::Func(function) => add(
                "\u{ff}",
                3,
                0,
                signature(
                    &function.name,
                    function.is_async,
                    &function.inputs,
                    function.return_type.as_ref(),
                    function.throws.as_ref(),
                ),
            ),
            Metadata::Object(object) => {
                let kind = match (object.imp.has_struct(), object.imp.has_callback_interface()) {
                    (true, _) => "object",
                    (false, true) => "trait that the host implements",
                    (false, false) => "trait",
                };
                add(&object.name, 0, 0, format!("{}: {kind}", object.name));
            }
            Metadata::Record(record) => {
                add(&record.name, 0, 0, format!("{}: record", record.name));
                for (place, member) in record.fields.iter().enumerate() {
                    add(
                        &record.name,
                        2,
                        place,
                        format!("{}.{}", record.name, field(member)),
                    );
                }
            }
            Metadata::Enum(kinds) => {
                let kind = if kinds.shape.is_error() {
                    "error"
                } else {
                    "enum"
                };
                add(&kinds.name, 0, 0, format!("{}: {kind}", kinds.name));
                for (place, variant) in kinds.variants.iter().enumerate() {
                    let fields: Vec<_> = variant.fields.iter().map(field).collect();
                    let fields = if fields.is_empty() {
                        String::new()
                    } else {
                        format!("({})", fields.join(", "))
                    };
                    add(
                        &kinds.name,
                        2,
                        place,
                        format!("{}.{}{fields}", kinds.name, variant.name),
                    );
                }
            }
            Metadata::Constructor(made) => add(
                &made.self_name,
                1,
                0,
                format!(
                    "constructor {}",
                    signature(
                        &format!("{}.{}", made.self_name, made.name),
                        made.is_async,
                        &made.inputs,
                        None,
                        made.throws.as_ref()
                    )
                ),
            ),
            Metadata::Method(method) => add(
                &method.self_name,
                3,
                0,
                signature(
                    &format!("{}.{}", method.self_name, method.name),
                    method.is_async,
                    &method.inputs,
                    method.return_type.as_ref(),
                    method.throws.as_ref(),
                ),
            ),
            Metadata::TraitMethod(method) => add(
                &method.trait_name,
                3,
                0,
                signature(
                    &format!("{}.{}", method.trait_name, method.name),
                    method.is_async,
                    &method.inputs,
                    method.return_type.as_ref(),
                    method.throws.as_ref(),
                ),
            ),
            // A record that does not print all of its fields.
            Metadata::UniffiTrait(UniffiTraitMetadata::Debug { fmt }) => {
                add(&fmt.self_name, 3, 0, format!("{}: Debug", fmt.self_name));
            }
            // A surface that this program cannot name must not pass for an unchanged one.
            other => return Err(format!("eft-api has no line for this yet: {other:?}")),
        }
    }
    lines.sort();
    Ok(lines.into_iter().map(|(.., line)| line).collect())
}

fn signature(
    name: &str,
    is_async: bool,
    inputs: &[FnParamMetadata],
    returned: Option<&Type>,
    thrown: Option<&Type>,
) -> String {
    let inputs: Vec<_> = inputs
        .iter()
        .map(|input| {
            format!(
                "{}: {}{}",
                input.name,
                named(&input.ty),
                default(input.default.as_ref())
            )
        })
        .collect();
    let mut text = format!("{name}({})", inputs.join(", "));
    if is_async {
        text.insert_str(0, "async ");
    }
    if let Some(returned) = returned {
        text += &format!(" -> {}", named(returned));
    }
    if let Some(thrown) = thrown {
        text += &format!(" throws {}", named(thrown));
    }
    text
}

fn field(field: &FieldMetadata) -> String {
    format!(
        "{}: {}{}",
        field.name,
        named(&field.ty),
        default(field.default.as_ref())
    )
}

fn default(value: Option<&DefaultValueMetadata>) -> String {
    match value {
        None => String::new(),
        Some(DefaultValueMetadata::Default) => " = default".to_owned(),
        Some(DefaultValueMetadata::Literal(literal)) => format!(" = {}", literally(literal)),
    }
}

fn literally(literal: &LiteralMetadata) -> String {
    match literal {
        LiteralMetadata::Boolean(value) => value.to_string(),
        LiteralMetadata::String(value) => format!("{value:?}"),
        LiteralMetadata::UInt(value, ..) => value.to_string(),
        LiteralMetadata::Int(value, ..) => value.to_string(),
        LiteralMetadata::Float(value, _) | LiteralMetadata::Enum(value, _) => value.clone(),
        LiteralMetadata::EmptySequence | LiteralMetadata::EmptyMap | LiteralMetadata::EmptySet => {
            "empty".to_owned()
        }
        LiteralMetadata::None => "none".to_owned(),
        LiteralMetadata::Some { inner } => format!("some({})", default(Some(inner))),
    }
}

fn named(ty: &Type) -> String {
    match ty {
        Type::Object { name, .. }
        | Type::Record { name, .. }
        | Type::Enum { name, .. }
        | Type::CallbackInterface { name, .. }
        | Type::Custom { name, .. } => name.clone(),
        Type::Box { inner_type } => named(inner_type),
        Type::Optional { inner_type } => format!("{}?", named(inner_type)),
        Type::Sequence { inner_type } => format!("[{}]", named(inner_type)),
        Type::Set { inner_type } => format!("set of {}", named(inner_type)),
        Type::Map {
            key_type,
            value_type,
        } => format!("{} to {}", named(key_type), named(value_type)),
        Type::UInt8 => "u8".to_owned(),
        Type::Int8 => "i8".to_owned(),
        Type::UInt16 => "u16".to_owned(),
        Type::Int16 => "i16".to_owned(),
        Type::UInt32 => "u32".to_owned(),
        Type::Int32 => "i32".to_owned(),
        Type::UInt64 => "u64".to_owned(),
        Type::Int64 => "i64".to_owned(),
        Type::Float32 => "f32".to_owned(),
        Type::Float64 => "f64".to_owned(),
        Type::Boolean => "bool".to_owned(),
        Type::String => "string".to_owned(),
        Type::Bytes => "bytes".to_owned(),
        Type::Timestamp => "timestamp".to_owned(),
        Type::Duration => "duration".to_owned(),
    }
}
