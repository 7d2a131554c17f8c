//! Embeds into the core what is data: the presets of identity providers (`envoy/idp/NAME.json` is what `"idp": "NAME"`
//! means), and what the characters of Unicode fold to.

#[path = "../src/policy/fold/unicode.rs"]
mod unicode;

use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::Path;

const PRESETS: &str = "../../envoy/idp";

fn main() -> Result<(), Box<dyn Error>> {
    let out = std::env::var("OUT_DIR")?;
    fs::write(Path::new(&out).join("presets.rs"), presets()?)?;
    fs::write(Path::new(&out).join("characters.rs"), characters())?;
    for place in [PRESETS, "fold/unicode.rs", "../../scripts/embed.rs"] {
        writeln!(std::io::stdout(), "cargo::rerun-if-changed={place}")?;
    }
    Ok(())
}

fn presets() -> Result<String, Box<dyn Error>> {
    let mut presets = Vec::new();
    for entry in fs::read_dir(PRESETS)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let name = path.file_stem().and_then(|name| name.to_str()).ok_or("a preset has an odd name")?.to_owned();
            presets.push((name, fs::read_to_string(&path)?));
        }
    }
    presets.sort();
    Ok(format!("/// Every preset, by name.\npub(crate) const PRESETS: &[(&str, &str)] = &{presets:?};\n"))
}

/// Sorted by what becomes of them; runs of single characters are short, and quickly found.
fn characters() -> String {
    let (mut gone, mut runs, mut texts) = (Vec::<(char, char)>::new(), Vec::<(char, String)>::new(), Vec::new());
    let mut before = ('\0', String::new());
    for c in '\u{80}'..=char::MAX {
        let text = unicode::folded(c);
        if text.is_empty() {
            match gone.last_mut().filter(|range| is_next(range.1, c)) {
                Some(range) => range.1 = c,
                None => gone.push((c, c)),
            }
        } else if text.len() == 1 {
            match runs.last_mut().filter(|_| is_next(before.0, c) && before.1.len() == 1) {
                Some(run) => run.1.push_str(&text),
                None => runs.push((c, text.clone())),
            }
        } else if text.bytes().any(|byte| byte.is_ascii()) {
            texts.push((c, text.clone()));
        }
        before = (c, text);
    }
    let gone = list(&gone, |(first, last)| format!("'{}', '{}'", first.escape_unicode(), last.escape_unicode()));
    let text = |(c, text): &(char, String)| format!("'{}', \"{}\"", c.escape_unicode(), text.escape_default());
    let (runs, texts) = (list(&runs, text), list(&texts, text));
    format!(
        "/// Characters beyond ASCII of which nothing is left, from the first to the last of each range.\n\
         const GONE: &[(char, char)] = &[{gone}];\n\
         /// Those that fold to one character of ASCII, from the first of each run.\n\
         const RUNS: &[(char, &str)] = &[{runs}];\n\
         /// Those that fold to more, of which some is ASCII.\n\
         const TEXTS: &[(char, &str)] = &[{texts}];\n"
    )
}

fn list<T>(items: &[T], write: impl Fn(&T) -> String) -> String {
    items.iter().map(|item| format!("({})", write(item))).collect::<Vec<_>>().join(", ")
}

fn is_next(c: char, after: char) -> bool {
    (c..=after).nth(1) == Some(after)
}
