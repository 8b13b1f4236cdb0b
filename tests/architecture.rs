//! The allowed edges between the crates, as data, and a check that the manifests hold no other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Crate, and the crates of ours that it may depend on. `docs/architecture.md` says why.
const ALLOWED: &[(&str, &[&str])] = &[
    ("dialects", &[]),
    ("core", &[]),
    ("sample", &[]),
    ("guard", &["core", "dialects"]),
    ("store", &["core"]),
    ("lake", &["core"]),
    ("ask", &["core", "guard", "dialects", "store"]),
    ("query", &["core", "guard", "ask", "store", "dialects"]),
    ("engines", &["core", "query", "dialects", "lake"]),
    ("pg-catalog", &["core", "query", "dialects"]),
    ("wire", &["core", "query"]),
];

/// The crate that wires the others, and the crate of end-to-end tests: they may depend on all.
const FREE: &[&str] = &["server", "e2e"];

/// An outside crate, and the only crates of ours that may depend on it.
const OWNED: &[(&str, &[&str])] = &[
    ("pgwire", &["wire"]),
    ("rustls", &["wire"]),
    ("sqlx", &["store"]),
    ("datafusion", &["engines"]),
    ("parquet", &["lake", "engines"]),
    ("clap", &["server"]),
    ("figment", &["server"]),
];

struct Manifest {
    name: String,
    path: PathBuf,
    /// Dependencies of the product, not of its tests.
    dependencies: BTreeSet<String>,
}

fn root() -> PathBuf {
    // Asked when it runs: clones may share a target folder.
    let tests = std::env::var("CARGO_MANIFEST_DIR").expect("cargo says where the crate is");
    Path::new(&tests).parent().expect("tests has a parent").to_owned()
}

fn manifests() -> Vec<Manifest> {
    let root = root();
    let mut folders = vec![root.join("dialects"), root.join("tests")];
    for entry in fs::read_dir(root.join("gateway")).expect("gateway is a folder") {
        folders.push(entry.expect("gateway can be read").path());
    }
    folders.iter().map(|folder| manifest(folder)).collect()
}

fn manifest(folder: &Path) -> Manifest {
    let path = folder.join("Cargo.toml");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let table: toml::Table = text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let name = table["package"]["name"].as_str().expect("a package has a name").to_owned();
    let dependencies = table.get("dependencies").and_then(toml::Value::as_table).cloned().unwrap_or_default();
    Manifest { name: short(&name), path, dependencies: dependencies.keys().map(|name| short(name)).collect() }
}

/// `mantissa-core` and `core` are one crate.
fn short(name: &str) -> String {
    name.strip_prefix("mantissa-").unwrap_or(name).to_owned()
}

#[test]
fn no_crate_depends_on_one_it_must_not_know() {
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    let ours: BTreeSet<&str> = allowed.keys().copied().chain(FREE.iter().copied()).collect();
    let mut wrong = Vec::new();
    for manifest in manifests().iter().filter(|manifest| !FREE.contains(&manifest.name.as_str())) {
        let Some(may) = allowed.get(manifest.name.as_str()) else {
            wrong.push(format!("{}: crate {} has no line in ALLOWED", manifest.path.display(), manifest.name));
            continue;
        };
        for dependency in &manifest.dependencies {
            if ours.contains(dependency.as_str()) && !may.contains(&dependency.as_str()) {
                wrong.push(format!("{} must not depend on {dependency}", manifest.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn outside_crates_stay_with_their_owner() {
    let mut wrong = Vec::new();
    for manifest in manifests().iter().filter(|manifest| manifest.name != "e2e") {
        for (outside, owners) in OWNED {
            if manifest.dependencies.contains(*outside) && !owners.contains(&manifest.name.as_str()) {
                wrong.push(format!("{} must not depend on {outside}; only {} may", manifest.name, owners.join(", ")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_server_reads_the_environment() {
    let mut wrong = Vec::new();
    for file in sources(&root()) {
        let text = fs::read_to_string(&file).expect("a source file can be read");
        let product = text.split("#[cfg(test)]").next().unwrap_or_default();
        let in_server = file.components().any(|part| part.as_os_str() == "server");
        if !in_server && (product.contains("env::var(") || product.contains("env::vars(")) {
            wrong.push(file.display().to_string());
        }
    }
    assert!(wrong.is_empty(), "these read the environment: {}", wrong.join(", "));
}

#[test]
fn the_three_invariants_are_types() {
    let read = |path: &str| fs::read_to_string(root().join(path)).expect("the file is there");
    let approved = read("gateway/guard/src/approved.rs");
    let fields =
        approved.split("pub struct Approved").nth(1).and_then(|rest| rest.split('}').next()).expect("Approved");
    assert!(!fields.lines().any(|line| line.trim_start().starts_with("pub ")), "a field of Approved is public");
    let engine = read("gateway/query/src/engine.rs");
    assert!(engine.contains("pub(crate) fn new(approved: &Approved"), "Rendered is made outside query");
    assert!(engine.contains("fn execute(&self, query: &Rendered"), "an engine executes something else than Rendered");
}

/// Rust files of the product: no tests, no examples, no generated output.
fn sources(root: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root.join("dialects/src")];
    for entry in fs::read_dir(root.join("gateway")).expect("gateway is a folder") {
        folders.push(entry.expect("gateway can be read").path().join("src"));
    }
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("a folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
                files.push(path);
            }
        }
    }
    files
}
