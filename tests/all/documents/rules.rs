//! What holds for every document: plain ASCII, links and paths that lead somewhere, a README that is read to its end.

use super::{repository, text};
use std::path::Path;
use walkdir::WalkDir;

/// Documents of the repository itself.
fn documents() -> Vec<String> {
    let mut found = vec!["README.md".to_owned(), "CHANGELOG.md".to_owned()];
    for entry in WalkDir::new(repository("docs")).sort_by_file_name() {
        let path = entry.expect("docs can be listed").into_path();
        let path = path.strip_prefix(repository("")).expect("it lies below");
        let path = path.to_str().expect("a plain name");
        if path.ends_with(".md") {
            found.push(path.to_owned());
        }
    }
    found
}

#[test]
fn documents_are_ascii() {
    for path in documents() {
        for (number, line) in text(&path).lines().enumerate() {
            assert!(line.is_ascii(), "{path}:{}: {line}", number + 1);
        }
    }
}

#[test]
fn the_readme_has_at_most_300_lines() {
    let lines = text("README.md").lines().count();
    assert!(lines <= 300, "{lines} lines");
}

/// What stands between `](` and `)`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
}

/// Names of sections as links call them.
fn anchors(text: &str) -> Vec<String> {
    let titles = text.lines().filter(|line| line.starts_with('#'));
    titles
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let letters = title.chars().filter_map(|letter| match letter {
                ' ' => Some('-'),
                '-' | '_' => Some(letter),
                letter => letter.is_alphanumeric().then_some(letter),
            });
            letters.collect()
        })
        .collect()
}

#[test]
fn links_lead_somewhere() {
    for document in documents() {
        let content = text(&document);
        for link in links(&content) {
            if link.starts_with("https://") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let beside = Path::new(&document).parent().unwrap_or(Path::new(""));
            let target = match path {
                "" => Path::new(&document).to_owned(),
                path => beside.join(path),
            };
            assert!(repository("").join(&target).exists(), "{document}: {link}");
            if !anchor.is_empty() {
                let target = text(target.to_str().expect("a plain path"));
                let has = anchors(&target).iter().any(|one| one == anchor);
                assert!(has, "{document}: {link}");
            }
        }
    }
}

/// Words in backticks that are paths of the repository.
fn paths(text: &str) -> Vec<&str> {
    let mut is_fenced = false;
    let lines = text.lines().filter(|line| {
        let is_fence = line.starts_with("```");
        is_fenced ^= is_fence;
        !is_fenced && !is_fence
    });
    let words = lines.flat_map(|line| line.split('`').skip(1).step_by(2));
    let roots = [
        "src/",
        "tests/",
        "testdata/",
        "docs/",
        "benches/",
        ".ci/",
        ".github/",
    ];
    words
        .filter(|word| {
            roots.iter().any(|root| word.starts_with(root)) && !word.contains([' ', '*'])
        })
        .collect()
}

#[test]
fn paths_exist() {
    for document in documents() {
        for path in paths(&text(&document)) {
            assert!(repository(path).exists(), "{document}: {path}");
        }
    }
}

#[test]
fn every_room_of_the_library_stands_in_the_architecture() {
    let library = text("src/lib.rs");
    let architecture = text("docs/ARCHITECTURE.md");
    let rooms = library.lines().filter_map(|line| {
        let bare = line
            .trim_start_matches("pub(crate) ")
            .trim_start_matches("pub ");
        bare.strip_prefix("mod ")?.strip_suffix(';')
    });
    let rooms: Vec<&str> = rooms.filter(|room| *room != "fixture").collect();
    let places: Vec<usize> = rooms
        .iter()
        .map(|room| {
            let row = architecture.find(&format!("| `{room}` |"));
            row.unwrap_or_else(|| panic!("no row for {room}"))
        })
        .collect();
    assert!(places.is_sorted(), "not in the order of lib.rs: {rooms:?}");
}
