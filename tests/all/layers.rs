//! The order of `lib.rs` is true: each room uses only what stands above it, and files of a room do not go in circles.
//!
//! The `use` lines and the paths in the code are read as text; tests inside a file may use whatever they want.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Files that need each other because their types are one idea.
const ONE_IDEA: &[(&[&str], &str)] = &[];

/// A module with a file of its own.
struct Module {
    /// Names from the root of the crate.
    path: Vec<String>,
    /// Its text without comments and tests.
    text: String,
}

impl Module {
    fn name(&self) -> String {
        self.path.join("::")
    }
}

/// A crate of the package: its modules by path.
struct Source {
    modules: BTreeMap<Vec<String>, Module>,
    /// What a module re-exports: the name, and the module that it comes from.
    exports: BTreeMap<Vec<String>, BTreeMap<String, Vec<String>>>,
}

impl Source {
    fn read(root: &str, main: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(root);
        let mut files = Vec::new();
        collect(&root, &mut files);
        let mut modules = BTreeMap::new();
        for file in files {
            let relative = file.strip_prefix(&root).expect("it lies below");
            let Some(path) = module_path(relative, main) else {
                continue;
            };
            let text = code_of(&fs::read_to_string(&file).expect("sources are text"));
            modules.insert(path.clone(), Module { path, text });
        }
        let mut source = Self {
            modules,
            exports: BTreeMap::new(),
        };
        source.exports = source
            .modules
            .values()
            .map(|module| (module.path.clone(), source.exports_of(module)))
            .collect();
        source
    }

    fn exports_of(&self, module: &Module) -> BTreeMap<String, Vec<String>> {
        let exported = uses(&module.text)
            .into_iter()
            .filter(|(is_public, _)| *is_public);
        exported
            .filter_map(|(_, path)| {
                let target = self.absolute(module, &path)?;
                let name = target.last()?.clone();
                Some((name, self.file_of(&target)))
            })
            .collect()
    }

    /// A path as it stands in a module, from the root of the crate; `None` for other crates.
    fn absolute(&self, module: &Module, path: &[String]) -> Option<Vec<String>> {
        let (first, rest) = path.split_first()?;
        let base = match first.as_str() {
            "crate" => Vec::new(),
            "self" => module.path.clone(),
            "super" => return self.above(module, rest),
            name => {
                let mut child = module.path.clone();
                child.push(name.to_owned());
                self.modules.contains_key(&child).then_some(child)?
            }
        };
        Some(base.into_iter().chain(rest.iter().cloned()).collect())
    }

    fn above(&self, module: &Module, rest: &[String]) -> Option<Vec<String>> {
        let mut base = module.path.clone();
        base.pop()?;
        let mut rest = rest;
        while let Some((first, behind)) = rest.split_first()
            && first == "super"
        {
            base.pop()?;
            rest = behind;
        }
        Some(base.into_iter().chain(rest.iter().cloned()).collect())
    }

    /// The longest beginning of a path that is a file.
    fn file_of(&self, path: &[String]) -> Vec<String> {
        let lengths = (0..=path.len()).rev();
        lengths
            .filter_map(|length| path.get(..length))
            .find(|start| self.modules.contains_key(*start))
            .unwrap_or_default()
            .to_vec()
    }

    /// The file that an item comes from, through whatever re-exports it.
    fn origin_of(&self, path: &[String]) -> Vec<String> {
        let mut file = self.file_of(path);
        for _ in 0..8 {
            let Some(name) = path.get(file.len()) else {
                return file;
            };
            match self
                .exports
                .get(&file)
                .and_then(|exports| exports.get(name))
            {
                Some(origin) if *origin != file => file.clone_from(origin),
                _ => return file,
            }
        }
        file
    }

    /// Which files use which, by module path.
    fn arrows(&self) -> BTreeMap<Vec<String>, BTreeSet<Vec<String>>> {
        self.modules
            .values()
            .map(|module| {
                let used = paths(&module.text)
                    .into_iter()
                    .filter_map(|path| self.absolute(module, &path))
                    .map(|path| self.origin_of(&path))
                    // What a door re-exports, and what lies under one's own door, is no dependency.
                    .filter(|target| !target.is_empty() && *target != module.path)
                    .filter(|target| !is_door_of(&module.path, target));
                (module.path.clone(), used.collect())
            })
            .collect()
    }
}

/// A module names its own children: that is the tree, no arrow.
fn is_door_of(module: &[String], target: &[String]) -> bool {
    target.starts_with(module)
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(directory)
        .expect("src can be listed")
        .map(|entry| entry.expect("src can be listed").path())
        .collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            collect(&entry, files);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            files.push(entry);
        }
    }
}

/// `None` for files of tests and for the command's crate below the library's.
fn module_path(file: &Path, main: &str) -> Option<Vec<String>> {
    let mut names: Vec<String> = file
        .iter()
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    let last = names.pop()?;
    if names.iter().any(|name| name == "bin" || name == "tests") || last == "tests.rs" {
        return None;
    }
    let stem = last.strip_suffix(".rs")?;
    if stem != "mod" && last != main {
        names.push(stem.to_owned());
    }
    Some(names)
}

/// Without comments, and without the tests at its end.
fn code_of(text: &str) -> String {
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .map(|line| format!("{line}\n"))
        .collect();
    match code.find("#[cfg(test)]\nmod ") {
        Some(tests)
            if code
                .get(tests..)
                .is_some_and(|rest| rest.contains("mod tests {")) =>
        {
            code.get(..tests).unwrap_or_default().to_owned()
        }
        _ => code,
    }
}

/// Every path of every `use`, groups taken apart; and whether it is re-exported.
fn uses(text: &str) -> Vec<(bool, Vec<String>)> {
    let mut found = Vec::new();
    for statement in text.split(';') {
        let Some(start) = statement.rfind("use ") else {
            continue;
        };
        let before = statement.get(..start).unwrap_or_default().trim_end();
        let is_start = before.is_empty()
            || before.ends_with(['}', '\n', ')', ']'])
            || before.ends_with("pub")
            || statement
                .get(..start)
                .is_some_and(|before| before.ends_with('\n'));
        if !is_start {
            continue;
        }
        let line = before.rsplit('\n').next().unwrap_or_default();
        let is_public = line.trim_start().starts_with("pub");
        let tree = statement.get(start + 4..).unwrap_or_default();
        expand(tree.trim(), &[], &mut |path| found.push((is_public, path)));
    }
    found
}

fn expand(tree: &str, before: &[String], found: &mut dyn FnMut(Vec<String>)) {
    match tree.split_once('{') {
        None => {
            let path = tree.split(" as ").next().unwrap_or_default();
            let names = path.split("::").map(|name| name.trim().to_owned());
            found(before.iter().cloned().chain(names).collect());
        }
        Some((start, group)) => {
            let start = start.trim().trim_end_matches("::");
            let names = start.split("::").map(|name| name.trim().to_owned());
            let before: Vec<String> = before
                .iter()
                .cloned()
                .chain(names.filter(|name| !name.is_empty()))
                .collect();
            let group = group.trim_end().strip_suffix('}').unwrap_or(group);
            for part in split_group(group) {
                expand(part.trim(), &before, found);
            }
        }
    }
}

/// At the commas that stand in no inner group.
fn split_group(group: &str) -> Vec<&str> {
    let mut depth = 0;
    let parts = group.split(|letter: char| {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        letter == ',' && depth == 0
    });
    parts.filter(|part| !part.trim().is_empty()).collect()
}

/// The paths of all `use` lines, and those that stand in the code itself.
fn paths(text: &str) -> Vec<Vec<String>> {
    let mut found: Vec<Vec<String>> = uses(text).into_iter().map(|(_, path)| path).collect();
    for mark in ["crate::", "super::"] {
        for (position, _) in text.match_indices(mark) {
            let before = text.get(..position).unwrap_or_default();
            if before.ends_with(|letter: char| {
                letter.is_alphanumeric() || letter == '_' || letter == ':'
            }) {
                continue;
            }
            let rest = text.get(position..).unwrap_or_default();
            let end = rest.find(|letter: char| !letter.is_alphanumeric() && !"_:".contains(letter));
            let path = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            let names = path.trim_end_matches(':').split("::").map(str::to_owned);
            found.push(names.collect());
        }
    }
    found
}

/// Rooms in the order of `lib.rs`.
fn rooms() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs");
    let text = fs::read_to_string(path).expect("the library has a root");
    let mut is_test = false;
    let mut rooms = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        if line == "#[cfg(test)]" {
            is_test = true;
            continue;
        }
        let module = line
            .trim_start_matches("pub(crate) ")
            .trim_start_matches("pub ")
            .strip_prefix("mod ")
            .and_then(|rest| rest.strip_suffix(';'));
        if let Some(module) = module.filter(|_| !std::mem::take(&mut is_test)) {
            rooms.push(module.to_owned());
        }
    }
    rooms
}

#[test]
fn each_room_uses_only_what_stands_above_it() {
    let rooms = rooms();
    assert!(rooms.len() > 10, "{rooms:?}");
    let height = |room: &String| rooms.iter().position(|name| name == room);
    let library = Source::read("src", "lib.rs");
    let mut up = Vec::new();
    for (module, used) in library.arrows() {
        let Some(own) = module.first().and_then(height) else {
            continue;
        };
        for target in used {
            let Some(other) = target.first().and_then(height) else {
                continue;
            };
            if other > own {
                up.push(format!("{} uses {}", module.join("::"), target.join("::")));
            }
        }
    }
    assert!(up.is_empty(), "arrows up:\n{}", up.join("\n"));
}

#[test]
fn files_do_not_go_in_circles_unless_their_types_are_one_idea() {
    let listed: BTreeSet<BTreeSet<String>> = ONE_IDEA
        .iter()
        .map(|(files, _)| files.iter().map(ToString::to_string).collect())
        .collect();
    let found: BTreeSet<BTreeSet<String>> = [("src", "lib.rs"), ("src/bin/etcd-cat", "main.rs")]
        .into_iter()
        .flat_map(|(root, main)| circles(&Source::read(root, main).arrows()))
        .map(|circle| circle.iter().map(|path| path.join("::")).collect())
        .collect();
    let new: Vec<_> = found.difference(&listed).collect();
    assert!(new.is_empty(), "circles: {new:#?}");
    let gone: Vec<_> = listed.difference(&found).collect();
    assert!(
        gone.is_empty(),
        "no circles any more, strike them out: {gone:#?}"
    );
}

/// Sets of files each of which reaches all others of its set.
fn circles(
    arrows: &BTreeMap<Vec<String>, BTreeSet<Vec<String>>>,
) -> BTreeSet<BTreeSet<Vec<String>>> {
    let reached: BTreeMap<&Vec<String>, BTreeSet<Vec<String>>> = arrows
        .keys()
        .map(|start| (start, reach(start, arrows)))
        .collect();
    let mut found = BTreeSet::new();
    for (start, targets) in &reached {
        let mut circle: BTreeSet<Vec<String>> = targets
            .iter()
            .filter(|target| {
                reached
                    .get(target)
                    .is_some_and(|back| back.contains(*start))
            })
            .cloned()
            .collect();
        if !circle.is_empty() {
            circle.insert((*start).clone());
            if circle.len() > 1 {
                found.insert(circle);
            }
        }
    }
    found
}

fn reach(
    start: &[String],
    arrows: &BTreeMap<Vec<String>, BTreeSet<Vec<String>>>,
) -> BTreeSet<Vec<String>> {
    let mut reached = BTreeSet::new();
    let mut waiting = vec![start.to_vec()];
    while let Some(next) = waiting.pop() {
        for target in arrows.get(&next).into_iter().flatten() {
            if reached.insert(target.clone()) {
                waiting.push(target.clone());
            }
        }
    }
    reached
}

#[test]
fn the_test_sees_arrows_and_circles() {
    let text =
        "use crate::a::{b::C, d};\nfn f() { crate::e::g(); super::h::i() }\npub use self::j::K;\n";
    let found: Vec<String> = paths(text)
        .into_iter()
        .map(|path| path.join("::"))
        .collect();
    for expected in [
        "crate::a::b::C",
        "crate::a::d",
        "crate::e::g",
        "super::h::i",
        "self::j::K",
    ] {
        assert!(
            found.iter().any(|path| path == expected),
            "{expected}: {found:?}"
        );
    }
    let name = |name: &str| vec![name.to_owned()];
    let arrows = BTreeMap::from([
        (name("a"), BTreeSet::from([name("b")])),
        (name("b"), BTreeSet::from([name("c")])),
        (name("c"), BTreeSet::from([name("a")])),
        (name("d"), BTreeSet::from([name("a")])),
    ]);
    let expected = BTreeSet::from([BTreeSet::from([name("a"), name("b"), name("c")])]);
    assert_eq!(circles(&arrows), expected);
    let library = Source::read("src", "lib.rs");
    let all: usize = library.arrows().values().map(BTreeSet::len).sum();
    assert!(all > 200, "{all} arrows");
    assert!(
        library
            .modules
            .values()
            .all(|module| !module.name().contains("tests"))
    );
}
