//! The page as a strict reader takes it: whole, safe, small, and readable for everybody.

use super::{FIRST_LINE, Report, SCRIPT, STYLE};
use crate::sample::{now, older, valid, with_findings};
use data_encoding::BASE64;
use etcd_cat::backup::Backup;
use etcd_cat::clusters::{ClustersQuestion, standings};
use etcd_cat::finding::{Code, Finding};
use etcd_cat::source::ObjectId;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

fn page(backups: &[Backup]) -> String {
    let question = ClustersQuestion::default();
    let standings = standings(backups, &question, now());
    let report = Report {
        standings: &standings,
        backups,
        now: now(),
    };
    report.page()
}

/// One element as it is opened.
#[derive(Debug)]
struct Element {
    name: String,
    attributes: BTreeMap<String, String>,
}

/// Every element of a page; stops where it is not what a strict reader takes. Style and script are not looked into.
fn elements(page: &str) -> Vec<Element> {
    const ALONE: [&str; 6] = ["meta", "br", "input", "path", "polyline", "!--"];
    let mut elements = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut rest = page.strip_prefix(FIRST_LINE).expect("begins as it does");
    while let Some((before, behind)) = rest.split_once('<') {
        assert!(!before.contains('>'), "{before:?}");
        let (tag, after) = behind.split_once('>').expect("a tag ends");
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "closed in order");
            continue;
        }
        let is_alone = tag.ends_with('/');
        let element = element(tag.trim_end_matches('/'));
        if element.name == "style" || element.name == "script" {
            let end = format!("</{}>", element.name);
            rest = after.split_once(&end).expect("it ends").1;
        } else if !is_alone && !ALONE.contains(&element.name.as_str()) {
            open.push(element.name.clone());
        }
        elements.push(element);
    }
    assert_eq!(open, Vec::<String>::new());
    elements
}

fn element(tag: &str) -> Element {
    let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
    let mut attributes = BTreeMap::new();
    while !rest.is_empty() {
        match rest.split_once("=\"") {
            Some((key, behind)) if !key.contains(' ') => {
                let (value, after) = behind.split_once('"').expect("a value ends");
                attributes.insert(key.to_owned(), value.to_owned());
                rest = after.trim_start();
            }
            _ => {
                let (key, after) = rest.split_once(' ').unwrap_or((rest, ""));
                attributes.insert(key.to_owned(), String::new());
                rest = after;
            }
        }
    }
    Element {
        name: name.to_owned(),
        attributes,
    }
}

/// Backups as somebody would name them who wants to run something here.
fn hostile() -> Vec<Backup> {
    let texts = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "</script></style></title><svg/onload=alert(1)>",
        "<!--",
        "]]>&lt;b&#62;",
        "\u{202e}gpj.exe\u{1b}[31m\u{0}",
        "{{constructor}}",
        "javascript:alert(1)",
    ];
    let backup = |text: &&'static str| {
        let mut backup = older(7, 3);
        if let Some(half) = &mut backup.snapshot {
            half.path = ObjectId::from(format!("/b/{text}.db").as_str());
            half.facts.cluster.infrastructure_name = Some((*text).to_owned());
            half.facts.cluster.id = Some((*text).to_owned());
        }
        backup.version.openshift = Some((*text).to_owned());
        let finding = Finding::new(Code::TimeSkew, *text).remedy(*text);
        with_findings(backup, vec![finding])
    };
    texts.iter().map(backup).collect()
}

#[test]
fn no_text_becomes_markup() {
    const NAMES: [&str; 44] = [
        "a",
        "article",
        "b",
        "body",
        "br",
        "code",
        "details",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "head",
        "header",
        "html",
        "i",
        "input",
        "label",
        "li",
        "main",
        "meta",
        "noscript",
        "option",
        "output",
        "p",
        "path",
        "polyline",
        "script",
        "section",
        "select",
        "small",
        "span",
        "style",
        "summary",
        "svg",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "title",
        "tr",
    ];
    let page = page(&hostile());
    let mut scripts = 0;
    for element in elements(&page) {
        let name = element.name.as_str();
        assert!(NAMES.contains(&name) || name == "ul", "{element:?}");
        scripts += usize::from(name == "script");
        for (key, value) in &element.attributes {
            assert!(
                !key.starts_with("on") && key != "style" && key != "src",
                "{element:?}"
            );
            assert!(key != "href" || value == "#backups", "{element:?}");
        }
    }
    assert_eq!(scripts, 1);
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    let is_bad = |one: char| one.is_control() && one != '\n' || one == '\u{202e}';
    assert!(!page.chars().any(is_bad));
}

#[test]
fn nothing_runs_and_nothing_is_loaded_but_what_the_policy_names() {
    let page = page(&[valid()]);
    let policy = elements(&page)
        .into_iter()
        .find(|one| one.attributes.contains_key("http-equiv"))
        .and_then(|one| one.attributes.get("content").cloned())
        .expect("a policy");
    assert!(
        policy.starts_with("default-src &#39;none&#39;;"),
        "{policy}"
    );
    for (text, kind) in [(STYLE, "style"), (SCRIPT, "script")] {
        assert!(page.contains(&format!("<{kind}>{text}</{kind}>")));
        let hash = BASE64.encode(&Sha256::digest(text.as_bytes()));
        assert!(
            policy.contains(&format!("{kind}-src &#39;sha256-{hash}&#39;")),
            "{kind}"
        );
        for word in [
            "url(",
            "@import",
            "http:",
            "https:",
            "//",
            "fetch",
            "innerHTML",
            "eval",
        ] {
            assert!(!text.contains(word), "{word} in the {kind}");
        }
    }
    // Before what it covers.
    let place = |text: &str| page.find(text).expect("it is there");
    assert!(place("Content-Security-Policy") < place("<style>"));
}

#[test]
fn whoever_does_not_see_it_finds_the_way() {
    let page = page(&[valid(), older(1, 24), older(2, 48), older(3, 72)]);
    let elements = elements(&page);
    let of = |name: &str| {
        elements
            .iter()
            .filter(|one| one.name == name)
            .collect::<Vec<_>>()
    };
    for landmark in ["header", "main", "footer", "h1", "title"] {
        assert_eq!(of(landmark).len(), 1, "{landmark}");
    }
    let html = of("html");
    assert!(
        html.iter()
            .all(|one| one.attributes.get("lang").is_some_and(|lang| lang == "en"))
    );
    let ids: Vec<&String> = elements
        .iter()
        .filter_map(|one| one.attributes.get("id"))
        .collect();
    for section in of("section") {
        let label = section.attributes.get("aria-labelledby").expect("a name");
        assert_eq!(ids.iter().filter(|id| **id == label).count(), 1, "{label}");
    }
    for heading in of("th") {
        assert!(heading.attributes.contains_key("scope"));
    }
    assert!(!of("svg").is_empty());
    for figure in of("svg") {
        assert_eq!(
            figure.attributes.get("role").map(String::as_str),
            Some("img")
        );
        assert!(
            figure
                .attributes
                .get("aria-label")
                .is_some_and(|label| label.len() > 10)
        );
    }
    assert_eq!(of("input").len() + of("select").len(), of("label").len());
    let levels: Vec<&str> = elements
        .iter()
        .map(|one| one.name.as_str())
        .filter(|name| ["h1", "h2", "h3"].contains(name))
        .collect();
    assert_eq!(levels.first(), Some(&"h1"));
    assert!(
        !levels.windows(2).any(|pair| pair == ["h1", "h3"]),
        "{levels:?}"
    );
}

/// The colours of each `:root`, by name.
fn palettes() -> Vec<BTreeMap<&'static str, [u8; 3]>> {
    let roots = STYLE.split(":root {").skip(1);
    roots
        .map(|root| {
            let block = root.split('}').next().unwrap_or_default();
            let rules = block
                .split(';')
                .filter_map(|rule| rule.trim().split_once(": #"));
            rules
                .map(|(name, hex)| {
                    let colour = data_encoding::HEXLOWER.decode(hex.as_bytes()).expect("hex");
                    (name, colour.try_into().expect("three bytes"))
                })
                .collect()
        })
        .collect()
}

/// Relative luminance, as WCAG 2 has it.
fn luminance(colour: [u8; 3]) -> f64 {
    let [red, green, blue] = colour.map(|part| {
        let part = f64::from(part) / 255.0;
        if part <= 0.040_45 {
            part / 12.92
        } else {
            ((part + 0.055) / 1.055).powf(2.4)
        }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

#[test]
fn every_colour_of_text_stands_out_in_light_in_dark_and_on_paper() {
    let palettes = palettes();
    assert_eq!(palettes.len(), 3);
    for palette in palettes {
        let colour = |name: &str| luminance(*palette.get(name).expect("in each palette"));
        let back = colour("--back");
        for name in [
            "--text",
            "--quiet",
            "--link",
            "--valid",
            "--warning",
            "--invalid",
            "--unknown",
        ] {
            let (least, most) = (back.min(colour(name)), back.max(colour(name)));
            let contrast = (most + 0.05) / (least + 0.05);
            assert!(contrast >= 4.5, "{name} has {contrast:.2}");
        }
    }
}

#[test]
fn each_finding_stands_with_its_remedy_and_each_verdict_in_words() {
    let finding = Finding::new(Code::DigestMismatch, "the bytes are others");
    let backups = [with_findings(older(9, 5), vec![finding]), valid()];
    let page = page(&backups);
    assert!(page.contains("digest-mismatch: the bytes are others<br><i>To do:</i> "));
    assert!(page.contains("<b class=\"invalid\">invalid</b>"));
    assert!(page.contains("<b class=\"valid\">valid</b>"));
    assert!(page.contains("2 backups, 1 valid, 1 invalid."));
    let empty = self::page(&[]);
    elements(&empty);
    assert!(empty.contains("No cluster is known."));
}

#[test]
fn ten_thousand_backups_are_a_page_of_a_few_megabytes() {
    let finding = || Finding::new(Code::DuplicateHost, "another host's backup of one moment");
    let backups: Vec<Backup> = (0..10_000)
        .map(|hours| with_findings(older(5, hours), vec![finding()]))
        .collect();
    let page = page(&backups);
    assert!(page.len() < 8 << 20, "{} bytes", page.len());
    // However many there are, a timeline has no more lines than places.
    let line = page
        .split("<path class=\"warning\" d=\"")
        .nth(1)
        .expect("a path");
    let line = line.split('"').next().unwrap_or_default();
    assert!(line.len() < 12_000, "{} bytes", line.len());
}

/// Needs `ETCD_CAT_TEST_CHROMIUM`, as the test of the page in a browser does.
#[test]
fn ten_thousand_backups_open_in_two_seconds() {
    let Some(chromium) = std::env::var_os("ETCD_CAT_TEST_CHROMIUM") else {
        return;
    };
    let findings = || {
        let codes = [
            Code::DuplicateHost,
            Code::KeysBesideSnapshot,
            Code::TimeSkew,
        ];
        let found =
            codes.map(|code| Finding::new(code, "what was found, in a sentence of some length"));
        found.to_vec()
    };
    let backups: Vec<Backup> = (0..10_000)
        .map(|hours| with_findings(older(5, hours), findings()))
        .collect();
    let file = tempfile::Builder::new().suffix(".html").tempfile();
    let file = file.expect("a temporary file");
    std::fs::write(file.path(), page(&backups)).expect("our own");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser.py");
    let mut python = std::process::Command::new("python3");
    python.arg(script).arg(chromium).args(["--within", "2"]);
    let output = python.arg(file.path()).output().expect("python3 starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}
