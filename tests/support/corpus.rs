//! The cases of `tests/cases`, embedded: the wasm that runs in Node has no files.

use tpc_gate_policy::case::Case;

/// One folder: settings, a policy, and files of cases that run under them.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) name: &'static str,
    pub(crate) settings: &'static str,
    pub(crate) policy: &'static str,
    files: &'static [(&'static str, &'static str)],
}

impl Folder {
    /// All cases, in order.
    pub(crate) fn cases(&self) -> Vec<Case> {
        self.files
            .iter()
            .flat_map(|(file, text)| {
                let cases: Vec<Case> = serde_json::from_str(text).unwrap_or_else(|error| panic!("{}/{file}: {error}", self.name));
                cases
            })
            .collect()
    }

    /// The settings with the policy inside.
    pub(crate) fn configuration(&self) -> String {
        let settings = self.settings.trim_end().strip_suffix('}').unwrap().trim_end();
        format!("{settings},\n  \"policy\": {{\"inline\": {}}}\n}}", self.policy.trim_end())
    }
}

/// All folders.
pub(crate) fn folders() -> &'static [Folder] {
    FOLDERS
}

/// `"folder", policy "of this folder": "files"`.
macro_rules! folder {
    ($name:literal, policy $policy:literal: $($file:literal),*) => {
        Folder {
            name: $name,
            settings: include_str!(concat!("../cases/", $name, "/settings.json")),
            policy: include_str!(concat!("../cases/", $policy, "/policy.json")),
            files: &[$(($file, include_str!(concat!("../cases/", $name, "/", $file, ".json")))),*],
        }
    };
}

const FOLDERS: &[Folder] = &[
    folder!("comparison", policy "default": "features"),
    folder!("default", policy "default": "access", "answers", "authorization", "bypasses", "doors", "identity", "parameters", "path", "redirects", "review", "token"),
    folder!("dialect", policy "dialect": "dialect"),
    folder!("https", policy "default": "scheme"),
    folder!("keycloak", policy "keycloak": "keycloak"),
    folder!("limits", policy "default": "limits"),
    folder!("refuse-unlisted", policy "default": "unlisted"),
    folder!("tenant", policy "tenant": "tenant"),
];

/// The files as the list above has them, for comparison with those on disk.
#[cfg(not(target_arch = "wasm32"))]
#[test]
fn the_embedded_files_are_those_on_disk() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut on_disk = Vec::new();
    for folder in std::fs::read_dir(root).unwrap().map(Result::unwrap) {
        for file in std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap) {
            let (folder, file) = (folder.file_name().into_string().unwrap(), file.file_name().into_string().unwrap());
            if !matches!(file.as_str(), "settings.json" | "policy.json") {
                on_disk.push(format!("{folder}/{file}"));
            }
        }
    }
    on_disk.sort();
    let mut embedded: Vec<String> =
        FOLDERS.iter().flat_map(|folder| folder.files.iter().map(|(file, _)| format!("{}/{file}.json", folder.name))).collect();
    embedded.sort();
    assert_eq!(on_disk, embedded);
}
