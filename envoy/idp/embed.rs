//! Embeds the presets of this folder into the core: each `NAME.json` is what `"idp": "NAME"` means.

use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new("../../envoy/idp");
    let mut presets = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let name = path.file_stem().and_then(|name| name.to_str()).ok_or("a preset has an odd name")?.to_owned();
            presets.push((name, fs::read_to_string(&path)?));
        }
    }
    presets.sort();
    let code = format!("/// Every preset, by name.\npub(crate) const PRESETS: &[(&str, &str)] = &{presets:?};\n");
    fs::write(Path::new(&std::env::var("OUT_DIR")?).join("presets.rs"), code)?;
    writeln!(std::io::stdout(), "cargo::rerun-if-changed={}", folder.display())?;
    Ok(())
}
