//! The page on the interfaces: every item of `wit/` with its declaration and its comment.
//!
//! An item without a comment or without the version it came with has no place on the page, so
//! there is none then.
#![expect(clippy::indexing_slicing, reason = "ids of a package index the arenas they came from")]

use std::{
    fmt::{self, Write as _},
    path::Path,
};

use anyhow::{Result, bail};
use wit_parser::{
    Docs, Function, FunctionKind, Handle, Interface, Resolve, Stability, Type, TypeDef,
    TypeDefKind, World, WorldItem, WorldKey,
};

/// The page on a package.
///
/// # Errors
/// When the package cannot be read, or items in it say too little.
pub(crate) fn describe(wit: &Path) -> Result<String> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(wit)?;
    let package = &resolve.packages[package];
    let mut page = Page { resolve: &resolve, text: String::new(), silent: Vec::new() };
    page.text = format!(
        "# `{}`\n\nGenerated from the files beside it; `cargo xtask component` writes it anew.\n",
        package.name
    );
    for world in package.worlds.values() {
        page.world(&resolve.worlds[*world])?;
    }
    for interface in package.interfaces.values() {
        page.interface(&resolve.interfaces[*interface])?;
    }
    if !page.silent.is_empty() {
        bail!("without a comment or a version: {}", page.silent.join(", "));
    }
    Ok(page.text)
}

struct Page<'r> {
    resolve: &'r Resolve,
    text: String,
    /// Items that say too little.
    silent: Vec<String>,
}

impl<'r> Page<'r> {
    fn world(&mut self, world: &World) -> Result<()> {
        write!(self.text, "\n## World `{}`\n", world.name)?;
        self.dated(&world.name, &world.stability);
        self.say(&world.name, &world.docs)?;
        for (what, items) in [("Imports", &world.imports), ("Exports", &world.exports)] {
            let names: Vec<String> = items.iter().map(|(key, item)| self.item(key, item)).collect();
            let names = if names.is_empty() { "nothing".into() } else { names.join(", ") };
            write!(self.text, "\n{what}: {names}.\n")?;
        }
        Ok(())
    }

    fn item(&mut self, key: &WorldKey, item: &WorldItem) -> String {
        let name = self.resolve.name_world_key(key);
        self.dated(&name, item.stability(self.resolve));
        let short = name.rsplit('/').next().unwrap_or(&name);
        let short = short.split('@').next().unwrap_or(short);
        format!("[`{short}`](#interface-{short})")
    }

    fn interface(&mut self, interface: &Interface) -> Result<()> {
        let name = interface.name.as_deref().unwrap_or_default();
        write!(self.text, "\n## Interface `{name}`\n")?;
        self.dated(name, &interface.stability);
        self.say(name, &interface.docs)?;
        for (of, id) in &interface.types {
            let def = &self.resolve.types[*id];
            if self.is_borrowed_name(def) {
                continue;
            }
            self.type_def(&format!("{name}.{of}"), of, def)?;
            let methods = interface.functions.values();
            for method in methods.filter(|function| function.kind.resource() == Some(*id)) {
                self.function(&format!("{name}.{}", method.name), method)?;
            }
        }
        let free = interface.functions.values().filter(|f| f.kind.resource().is_none());
        for function in free {
            self.function(&format!("{name}.{}", function.name), function)?;
        }
        Ok(())
    }

    /// Whether it is another interface's type under its own name.
    fn is_borrowed_name(&self, def: &TypeDef) -> bool {
        let TypeDefKind::Type(Type::Id(other)) = def.kind else { return false };
        self.resolve.types[other].owner != def.owner
    }

    fn type_def(&mut self, place: &str, name: &str, def: &TypeDef) -> Result<()> {
        self.dated(place, &def.stability);
        let kind = match &def.kind {
            TypeDefKind::Type(_) | TypeDefKind::List(_) => "type",
            kind => kind.as_str(),
        };
        write!(self.text, "\n### {kind} `{name}`\n")?;
        if let TypeDefKind::Type(of) = def.kind {
            write!(self.text, "\n`{}`\n", self.type_name(of))?;
        } else if let TypeDefKind::List(of) = def.kind {
            write!(self.text, "\n`list<{}>`\n", self.type_name(of))?;
        }
        self.say(place, &def.docs)?;
        let parts: Vec<(&String, Option<Type>, &Docs)> = match &def.kind {
            TypeDefKind::Record(record) => record
                .fields
                .iter()
                .map(|field| (&field.name, Some(field.ty), &field.docs))
                .collect(),
            TypeDefKind::Variant(variant) => {
                variant.cases.iter().map(|case| (&case.name, case.ty, &case.docs)).collect()
            }
            TypeDefKind::Enum(of) => {
                of.cases.iter().map(|case| (&case.name, None, &case.docs)).collect()
            }
            _ => Vec::new(),
        };
        for (at, (part, of, docs)) in parts.into_iter().enumerate() {
            let break_before = if at == 0 { "\n" } else { "" };
            let of = of.map(|of| format!(": `{}`", self.type_name(of))).unwrap_or_default();
            let told = self.told(&format!("{place}.{part}"), docs).replace('\n', " ");
            writeln!(self.text, "{break_before}- `{part}`{of} — {told}")?;
        }
        Ok(())
    }

    fn function(&mut self, place: &str, function: &Function) -> Result<()> {
        self.dated(place, &function.stability);
        let (kind, skip) = match function.kind {
            FunctionKind::Method(_) => ("method", 1),
            FunctionKind::Static(_) => ("static function", 0),
            _ => ("function", 0),
        };
        let params = function.params.iter().skip(skip);
        let params: Vec<String> =
            params.map(|param| format!("{}: {}", param.name, self.type_name(param.ty))).collect();
        let result =
            function.result.map(|of| format!(" -> {}", self.type_name(of))).unwrap_or_default();
        let name = function.item_name();
        let owner = match function.kind.resource() {
            Some(id) => format!("{}.", self.resolve.types[id].name.as_deref().unwrap_or_default()),
            None => String::new(),
        };
        write!(self.text, "\n### {kind} `{owner}{name}`\n")?;
        write!(self.text, "\n```wit\n{name}: func({}){result}\n```\n", params.join(", "))?;
        self.say(place, &function.docs)
    }

    fn say(&mut self, place: &str, docs: &Docs) -> Result<()> {
        let told = self.told(place, docs);
        Ok(write!(self.text, "\n{told}\n")?)
    }

    fn told(&mut self, place: &str, docs: &Docs) -> String {
        match docs.contents.as_deref().map(str::trim).filter(|told| !told.is_empty()) {
            Some(told) => told.to_owned(),
            None => {
                self.silent.push(format!("{place} (comment)"));
                String::new()
            }
        }
    }

    fn dated(&mut self, place: &str, stability: &Stability) {
        if !matches!(stability, Stability::Stable { .. }) {
            self.silent.push(format!("{place} (version)"));
        }
    }

    fn type_name(&self, of: Type) -> Name<'r> {
        Name { resolve: self.resolve, of }
    }
}

/// A type as it is written in WIT.
struct Name<'r> {
    resolve: &'r Resolve,
    of: Type,
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |of: Type| Name { resolve: self.resolve, of };
        let of_id = |id| self.resolve.types[id].name.as_deref().unwrap_or("_");
        let Type::Id(id) = self.of else {
            return f.write_str(match self.of {
                Type::Bool => "bool",
                Type::U8 => "u8",
                Type::U16 => "u16",
                Type::U32 => "u32",
                Type::U64 => "u64",
                Type::S8 => "s8",
                Type::S16 => "s16",
                Type::S32 => "s32",
                Type::S64 => "s64",
                Type::F32 => "f32",
                Type::F64 => "f64",
                Type::Char => "char",
                Type::String => "string",
                Type::ErrorContext | Type::Id(_) => "error-context",
            });
        };
        let def = &self.resolve.types[id];
        match (&def.name, &def.kind) {
            (Some(name), _) => f.write_str(name),
            (None, TypeDefKind::Option(of)) => write!(f, "option<{}>", name(*of)),
            (None, TypeDefKind::List(of)) => write!(f, "list<{}>", name(*of)),
            (None, TypeDefKind::Handle(Handle::Own(of))) => f.write_str(of_id(*of)),
            (None, TypeDefKind::Handle(Handle::Borrow(of))) => write!(f, "borrow<{}>", of_id(*of)),
            (None, TypeDefKind::Result(of)) => {
                let ok = of.ok.map_or("_".to_owned(), |of| name(of).to_string());
                match of.err {
                    Some(err) => write!(f, "result<{ok}, {}>", name(err)),
                    None => write!(f, "result<{ok}>"),
                }
            }
            (None, TypeDefKind::Tuple(of)) => {
                let all: Vec<String> = of.types.iter().map(|of| name(*of).to_string()).collect();
                write!(f, "tuple<{}>", all.join(", "))
            }
            (None, kind) => f.write_str(kind.as_str()),
        }
    }
}
