//! Which way dependencies may point: between the crates of the workspace, and between the rooms of
//! the Worker.
//!
//! Cargo refuses circles between crates, and nothing else; within a crate nothing is refused. The
//! two tables here say which arrows there may be at all. A row names what stands directly below, and
//! allows everything that those stand on, too. A new crate or room needs a row.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use serde_json::Value;
use xshell::{Shell, cmd};

use crate::workspace::root;

/// A crate or a room, and what stands directly below it.
type Row = (&'static str, &'static [&'static str]);

/// The crates. Only normal dependencies count: tests may use what they like.
const CRATES: &[Row] = &[
    // The core. Those that are not there yet have their place all the same.
    ("nacre-layers", &[]),
    ("nacre-store", &["nacre-layers"]),
    ("nacre-wire", &["nacre-store"]),
    ("nacre-replica", &["nacre-wire"]),
    ("nacre-inference", &["nacre-layers"]),
    ("nacre-search", &["nacre-inference"]),
    ("nacre-retrieval", &["nacre-wire", "nacre-search"]),
    ("nacre-pack", &["nacre-wire"]),
    ("nacre-learn", &["nacre-search"]),
    ("nacre-mcp", &["nacre-retrieval", "nacre-pack", "nacre-learn"]),
    ("nacre-core", &["nacre-replica", "nacre-mcp"]),
    // The shells.
    ("nacre-msgpack", &["nacre-core"]),
    ("nacre-worker", &["nacre-msgpack"]),
    ("nacre-component", &["nacre-core"]),
    ("nacre-assemble", &[]),
    ("nacre-browser", &["nacre-core"]),
    ("nacre-browser-search", &["nacre-core"]),
    // What is not shipped. Nothing above names these.
    ("nacre-topics", &["nacre-msgpack"]),
    ("nacre-tests", &["nacre-topics"]),
    ("nacre-component-tests", &["nacre-tests"]),
    ("nacre-fuzz", &["nacre-msgpack"]),
    ("nacre-rmcp-client", &[]),
    ("nacre-bench", &["nacre-core"]),
    ("nacre-bench-component", &["nacre-core"]),
    ("nacre-bench-wasm", &["nacre-core"]),
    ("nacre-bench-bare", &[]),
    ("xtask", &[]),
];

/// The rooms of `worker/src`. `lib` is above them all.
const ROOMS: &[Row] = &[
    ("auth", &[]),
    ("follower", &[]),
    ("format", &[]),
    ("http", &["auth", "format"]),
    ("sql", &[]),
    ("schema", &["sql"]),
    ("search_key", &[]),
    ("search_tables", &["search_key"]),
    ("search_database", &["search_tables", "sql"]),
    ("sql_store", &["schema", "search_tables"]),
    ("host", &[]),
    ("prompt", &[]),
    ("signature", &["auth"]),
    ("bearer", &[]),
    ("live", &["bearer", "follower", "format"]),
    ("message", &["host", "http"]),
    ("changes", &["follower"]),
    ("embedder", &["host"]),
    ("config", &["embedder", "http", "search_database", "sql_store"]),
    ("models", &["host"]),
    ("indexer", &["embedder", "models", "search_database", "sql_store"]),
    ("searcher", &["changes", "indexer"]),
    ("forward", &["bearer", "http"]),
    ("gate", &["config", "host", "signature"]),
    ("usage", &[]),
    ("mcp", &["config", "forward", "message"]),
    ("user_object", &["live", "mcp", "prompt", "searcher", "usage"]),
];

/// Rooms that know no platform, and so are tested without one.
const PURE_ROOMS: &[&str] =
    &["auth", "http", "schema", "search_key", "search_tables", "sql", "sql_store", "usage"];

/// The one file in them that does: the database on a Durable Object's storage.
const BINDING: &str = "sql/durable.rs";

/// What a pure room does not name: the platform's crates, and clocks.
const PLATFORM: &[&str] = &[
    "futures_util",
    "getrandom",
    "js_sys",
    "std::time",
    "wasm_bindgen",
    "wasm_bindgen_futures",
    "web_sys",
    "worker",
];

/// Crates that would give the core a clock, a random source or a platform.
const PLATFORM_CRATES: &[&str] = &[
    "chrono",
    "getrandom",
    "instant",
    "js-sys",
    "rand",
    "time",
    "tokio",
    "wasm-bindgen",
    "wasm-bindgen-futures",
    "wasi",
    "wasip2",
    "web-sys",
    "web-time",
    "wit-bindgen",
    "worker",
];

/// A crate of this workspace.
#[derive(Debug)]
pub(crate) struct Crate {
    pub(crate) name: String,
    /// Its folder, below the root of the checkout.
    pub(crate) folder: PathBuf,
    /// The other crates of the workspace that it names as normal dependencies.
    below: Vec<String>,
}

impl Crate {
    /// Whether it belongs to the core: pure decisions, without a platform.
    pub(crate) fn is_core(&self) -> bool {
        self.folder.starts_with("core")
    }
}

/// The crates of this workspace, as cargo sees them.
pub(crate) fn crates(shell: &Shell) -> Result<Vec<Crate>> {
    let described = cmd!(shell, "cargo metadata --format-version 1 --no-deps").read()?;
    let described: Value = serde_json::from_str(&described).context("reading cargo's metadata")?;
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let name = |value: &Value| value.get("name").and_then(Value::as_str).map(str::to_owned);
    let packages = list(described.get("packages"));
    let names: Vec<String> = packages.iter().filter_map(name).collect();
    let one = |package: &Value| {
        let manifest = Path::new(package.get("manifest_path")?.as_str()?);
        let normal = |dependency: &&Value| dependency.get("kind").is_some_and(Value::is_null);
        let dependencies = list(package.get("dependencies"));
        let below = dependencies.iter().filter(normal).filter_map(name);
        Some(Crate {
            name: name(package)?,
            folder: manifest.parent()?.strip_prefix(root()).ok()?.to_path_buf(),
            below: below.filter(|below| names.contains(below)).collect(),
        })
    };
    packages.iter().map(one).collect::<Option<_>>().context("cargo's metadata lacks a name or path")
}

/// Every arrow between crates or rooms that runs the wrong way.
pub(crate) fn faults(shell: &Shell) -> Result<Vec<String>> {
    let crates = crates(shell)?;
    let mut faults = wrong_crates(&crates, CRATES);
    for one in crates.iter().filter(|one| one.is_core()) {
        let name = &one.name;
        let tree = cmd!(shell, "cargo tree --package {name} --edges normal --target all");
        let tree = tree.args(["--all-features", "--prefix", "depth", "--format", "|{p}"]).read()?;
        faults.extend(platforms(&tree));
    }
    let worker = root().join("worker/src");
    for path in rust_files(&worker)? {
        let text = fs::read_to_string(&path)?;
        faults.extend(wrong_rooms(path.strip_prefix(&worker)?, &text)?);
    }
    Ok(faults)
}

fn wrong_crates(crates: &[Crate], table: &[Row]) -> Vec<String> {
    let mut faults = Vec::new();
    for Crate { name, below, folder } in crates {
        let Some(allowed) = reach(table, name) else {
            faults.push(format!("{name}: this crate needs a row in xtask/src/arrows.rs"));
            continue;
        };
        for wrong in below.iter().filter(|below| !allowed.contains(&below.as_str())) {
            let manifest = folder.join("Cargo.toml");
            faults.push(format!("{}: {name} must not depend on {wrong}", manifest.display()));
        }
    }
    faults
}

/// Everything that a row allows; nothing where there is no such row.
fn reach<'a>(table: &[(&'a str, &[&'a str])], name: &str) -> Option<Vec<&'a str>> {
    let (_, directly) = table.iter().find(|(row, _)| *row == name)?;
    let mut all = directly.to_vec();
    let mut next = 0;
    while let Some(below) = all.get(next).copied() {
        let rows = table.iter().find(|(row, _)| *row == below).map_or(&[][..], |(_, rows)| rows);
        all.extend(rows.iter().filter(|row| !all.contains(row)).copied().collect::<Vec<_>>());
        next += 1;
    }
    Some(all)
}

/// Reads a tree of dependencies, each line with its depth: `2|getrandom v0.4.3`.
fn platforms(tree: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut way = Vec::new();
    for line in tree.lines() {
        let Some((depth, package)) = line.split_once('|') else { continue };
        let name = package.split(' ').next().unwrap_or_default();
        way.truncate(depth.parse().unwrap_or_default());
        way.push(name);
        if PLATFORM_CRATES.contains(&name) {
            faults.push(format!("the core must not depend on a platform: {}", way.join(" → ")));
        }
    }
    faults
}

/// Every arrow from a file of the Worker that runs the wrong way.
fn wrong_rooms(file: &Path, text: &str) -> Result<Vec<String>> {
    let module = module_of(file);
    let Some(room) = module.first().filter(|room| *room != "lib").cloned() else {
        return Ok(Vec::new());
    };
    let shown = Path::new("worker/src").join(file);
    let shown = shown.display();
    let Some(allowed) = reach(ROOMS, &room) else {
        return Ok(vec![format!("{shown}: the room `{room}` needs a row in xtask/src/arrows.rs")]);
    };
    let tokens = text
        .parse()
        .map_err(|error| anyhow::anyhow!("{error}"))
        .with_context(|| format!("reading {shown}"))?;
    let mut uses = Uses::default();
    uses.read(tokens, &module);
    let mut faults = Vec::new();
    for (target, line) in &uses.rooms {
        if *target == room || allowed.contains(&target.as_str()) {
            continue;
        }
        faults.push(match target.as_str() {
            "*" => format!("{shown}:{line}: name the rooms instead of `*`"),
            _ => format!("{shown}:{line}: `{room}` must not use `{target}`"),
        });
    }
    if PURE_ROOMS.contains(&room.as_str()) && file != Path::new(BINDING) {
        for (name, line) in &uses.outside {
            faults
                .push(format!("{shown}:{line}: `{room}` knows no platform, and this is `{name}`"));
        }
    }
    Ok(faults)
}

/// The module that a file holds, below the root of its crate.
fn module_of(file: &Path) -> Vec<String> {
    let mut module: Vec<String> = file
        .with_extension("")
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    module.pop_if(|last| last == "mod");
    module
}

/// What a file names, each with the first line where it does.
#[derive(Default)]
struct Uses {
    /// Items and modules right below the root of the crate.
    rooms: BTreeMap<String, usize>,
    /// What is in [`PLATFORM`].
    outside: BTreeMap<String, usize>,
}

impl Uses {
    /// Reads tokens rather than items, so that paths within macros are seen, too.
    fn read(&mut self, tokens: TokenStream, module: &[String]) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut rest = tokens.as_slice();
        let mut after_path = false; // whether `::` stands before the token
        while let [first, following @ ..] = rest {
            rest = following;
            match first {
                TokenTree::Ident(name) if !after_path => match (name.to_string().as_str(), rest) {
                    ("mod", [TokenTree::Ident(inner), TokenTree::Group(body), ..]) => {
                        let inner = [module, &[inner.to_string()]].concat();
                        self.read(body.stream(), &inner);
                        rest = rest.get(2..).unwrap_or_default();
                    }
                    ("crate" | "self" | "super", _) if starts_path(rest) => {
                        rest = self.read_path(first, rest, module);
                    }
                    (name, _) => self.note_outside(name, first, rest),
                },
                TokenTree::Group(group) => self.read(group.stream(), module),
                _ => {}
            }
            after_path = ends_path(&tokens, rest.len());
        }
    }

    /// Follows a path that begins in this crate; returns what comes after it.
    fn read_path<'a>(
        &mut self,
        first: &TokenTree,
        mut rest: &'a [TokenTree],
        module: &[String],
    ) -> &'a [TokenTree] {
        let mut at = match first.to_string().as_str() {
            "crate" => Vec::new(),
            "super" => parent(module),
            _ => module.to_vec(),
        };
        while let Some(next) = after_colons(rest) {
            let [step, following @ ..] = next else { break };
            rest = following;
            match step {
                TokenTree::Ident(name) if name == "super" => at = parent(&at),
                TokenTree::Ident(name) if name == "self" => {}
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    for branch in branches(group.stream()) {
                        self.read_branch(&branch, &at);
                    }
                    return rest;
                }
                // A name, or all names.
                other => {
                    let named = at.first().cloned().unwrap_or_else(|| other.to_string());
                    note(&mut self.rooms, named, other);
                    return rest;
                }
            }
        }
        rest
    }

    /// Reads one of several paths that go on from the same place.
    fn read_branch(&mut self, branch: &[TokenTree], at: &[String]) {
        let Some((first, rest)) = branch.split_first() else { return };
        match first.to_string().as_str() {
            "super" | "self" if starts_path(rest) => drop(self.read_path(first, rest, at)),
            "self" | "super" => {}
            name => {
                let named = at.first().cloned().unwrap_or_else(|| name.to_owned());
                note(&mut self.rooms, named, first);
            }
        }
    }

    fn note_outside(&mut self, name: &str, token: &TokenTree, rest: &[TokenTree]) {
        let second = match after_colons(rest) {
            Some([TokenTree::Ident(second), ..]) => format!("{name}::{second}"),
            Some([TokenTree::Group(group), ..]) if name == "std" => {
                let first = branches(group.stream()).into_iter().map(|branch| {
                    let first = branch.first().map(ToString::to_string).unwrap_or_default();
                    format!("{name}::{first}")
                });
                first.into_iter().find(|path| PLATFORM.contains(&path.as_str())).unwrap_or_default()
            }
            _ => String::new(),
        };
        let is_used = starts_path(rest)
            || matches!(rest, [TokenTree::Punct(end), ..] if end.as_char() == ';')
            || matches!(rest, [TokenTree::Ident(word), ..] if word == "as");
        for path in [name, &second] {
            if is_used && PLATFORM.contains(&path) {
                note(&mut self.outside, path.to_owned(), token);
            }
        }
    }
}

fn note(held: &mut BTreeMap<String, usize>, name: String, token: &TokenTree) {
    held.entry(name).or_insert(token.span().start().line);
}

fn parent(module: &[String]) -> Vec<String> {
    module.split_last().map(|(_, parent)| parent.to_vec()).unwrap_or_default()
}

/// Whether the tokens go on with `::`.
fn starts_path(rest: &[TokenTree]) -> bool {
    after_colons(rest).is_some()
}

/// The tokens after `::`, when they begin with it.
fn after_colons(rest: &[TokenTree]) -> Option<&[TokenTree]> {
    match rest {
        [TokenTree::Punct(one), TokenTree::Punct(two), rest @ ..]
            if one.as_char() == ':' && two.as_char() == ':' =>
        {
            Some(rest)
        }
        _ => None,
    }
}

/// Whether the tokens before the last `left` ones end with `name::`, so that what follows is a part
/// of a longer path.
fn ends_path(tokens: &[TokenTree], left: usize) -> bool {
    let before = tokens.get(..tokens.len().saturating_sub(left)).unwrap_or_default();
    let [.., name, one, two] = before else { return false };
    let colons = [one, two].iter().all(|colon| colon.to_string() == ":");
    let named = match name {
        TokenTree::Ident(name) => !["use", "as", "return", "in"].iter().any(|word| name == word),
        TokenTree::Punct(end) => end.as_char() == '>',
        _ => false,
    };
    colons && named
}

/// The parts of `{a, b::c, d}`.
fn branches(tokens: TokenStream) -> Vec<Vec<TokenTree>> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    tokens
        .split(|token| matches!(token, TokenTree::Punct(comma) if comma.as_char() == ','))
        .map(<[TokenTree]>::to_vec)
        .collect()
}

/// The Rust files below a folder.
fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str, below: &[&str]) -> Crate {
        Crate {
            name: name.to_owned(),
            folder: "core/x".into(),
            below: below.iter().map(|below| (*below).to_owned()).collect(),
        }
    }

    fn faults_in(file: &str, text: &str) -> Vec<String> {
        wrong_rooms(Path::new(file), text).expect("tokens")
    }

    #[test]
    fn crates_may_use_what_stands_below_them() {
        let right = [
            one("nacre-layers", &[]),
            one("nacre-replica", &["nacre-wire", "nacre-layers"]),
            one("nacre-mcp", &["nacre-wire", "nacre-search", "nacre-learn"]),
            one("nacre-worker", &["nacre-core", "nacre-store"]),
        ];
        assert_eq!(wrong_crates(&right, CRATES), Vec::<String>::new());
    }

    #[test]
    fn a_wrong_arrow_between_crates_is_found() {
        for (name, below) in [
            ("nacre-layers", "nacre-store"),
            ("nacre-store", "nacre-wire"),
            ("nacre-wire", "nacre-replica"),
            ("nacre-search", "nacre-store"),
            ("nacre-learn", "nacre-store"),
            ("nacre-mcp", "nacre-replica"),
            ("nacre-core", "nacre-worker"),
            ("nacre-browser", "nacre-component"),
            ("nacre-layers", "nacre-topics"),
        ] {
            let faults = wrong_crates(&[one(name, &[below])], CRATES);
            assert_eq!(faults, [format!("core/x/Cargo.toml: {name} must not depend on {below}")]);
        }
        let faults = wrong_crates(&[one("nacre-new", &[])], CRATES);
        assert_eq!(faults, ["nacre-new: this crate needs a row in xtask/src/arrows.rs"]);
    }

    #[test]
    fn the_tables_have_no_circles_and_name_only_rows() {
        for table in [CRATES, ROOMS] {
            for (name, directly) in table {
                assert!(
                    !reach(table, name).expect("a row").contains(name),
                    "{name} is in a circle"
                );
                for below in *directly {
                    assert!(reach(table, below).is_some(), "{name} stands on {below}");
                }
            }
        }
    }

    #[test]
    fn a_platform_below_the_core_is_found_with_the_way_to_it() {
        let tree =
            "0|nacre-core v0.1.0 (/x)\n1|aes-gcm v0.11.1\n2|getrandom v0.4.3\n1|itoa v1.0.18";
        let expected = "the core must not depend on a platform: nacre-core → aes-gcm → getrandom";
        assert_eq!(platforms(tree), [expected]);
        assert!(platforms("0|nacre-core v0.1.0 (/x)\n1|itoa v1.0.18").is_empty());
    }

    #[test]
    fn rooms_may_use_what_stands_below_them() {
        let text = "
            use super::{schema::TABLES, sql::Row};
            use crate::{schema, sql::{Bind, Database}};
            mod tests { use super::*; use super::super::schema; use crate::sql_store::Other; }
            fn f() { format!(\"{}\", crate::sql::odd()) }
        ";
        assert_eq!(faults_in("sql_store.rs", text), Vec::<String>::new());
        assert_eq!(faults_in("lib.rs", "use http::x; use worker::y;"), Vec::<String>::new());
    }

    #[test]
    fn a_wrong_arrow_between_rooms_is_found() {
        for text in [
            "use crate::live;",
            "use crate::{auth::Identity, live::Live};",
            "use crate::{auth, self::live};",
            "use super::super::live::Live;",
            "use super::super::{live};",
            "pub(crate) use crate::live::Live as Other;",
            "fn f() { let x = [vec![crate::live::x()]]; }",
            "fn f() { println!(\"{}\", crate::live::x()) }",
            "mod inner { use super::super::super::live; }",
            "impl From<crate::live::Live> for X {}",
        ] {
            let faults = faults_in("http/routed.rs", text);
            assert_eq!(
                faults,
                ["worker/src/http/routed.rs:1: `http` must not use `live`"],
                "{text}"
            );
        }
        let star = faults_in("http/routed.rs", "\nuse crate::*;");
        assert_eq!(star, ["worker/src/http/routed.rs:2: name the rooms instead of `*`"]);
        let root = faults_in("user_object.rs", "fn f() { crate::entry() }");
        assert_eq!(root, ["worker/src/user_object.rs:1: `user_object` must not use `entry`"]);
        let unknown = faults_in("search/rank.rs", "");
        assert_eq!(
            unknown,
            ["worker/src/search/rank.rs: the room `search` needs a row in xtask/src/arrows.rs"]
        );
    }

    #[test]
    fn a_platform_in_a_pure_room_is_found() {
        for text in [
            "use worker::Env;",
            "use ::worker::Env;",
            "use worker as w;",
            "use {worker::Env, alloc::vec};",
            "fn f(x: worker::Env) {}",
            "#[worker::event(fetch)] fn f() {}",
        ] {
            let faults = faults_in("auth/jws.rs", text);
            let expected =
                "worker/src/auth/jws.rs:1: `auth` knows no platform, and this is `worker`";
            assert_eq!(faults, [expected], "{text}");
        }
        for text in ["use std::time::Instant;", "use std::{rc::Rc, time::Instant};"] {
            let faults = faults_in("auth/jws.rs", text);
            assert_eq!(faults.len(), 1, "{text}: {faults:?}");
        }
        let own = "use super::worker::Name; fn worker() {} struct S { worker: u8 }";
        assert_eq!(faults_in("auth/jws.rs", own), Vec::<String>::new());
        assert_eq!(faults_in("sql/durable.rs", "use worker::Env;"), Vec::<String>::new());
        assert_eq!(faults_in("host.rs", "use worker::Env;"), Vec::<String>::new());
    }
}
