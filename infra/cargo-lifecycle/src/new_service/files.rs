//! The files of a new service, as `infra/starter` has them.
//!
//! The folder `files` has a symbolic link to each, with another name: a package cannot contain the
//! manifest of another one. In the published package the links are files.

/// The place of the service's name.
pub(super) const NAME: &str = "{{ project_name }}";

/// The manifest of the workspace, with the versions of all dependencies.
pub(super) const MANIFEST: &str = "Cargo.toml";

/// The workflow of checks, which builds the service on another machine.
pub(super) const WORKFLOW: &str = ".github/workflows/check.yml";

/// The path of each file in the service, and its text.
pub(super) const FILES: [(&str, &str); 14] = [
    (WORKFLOW, include_str!("files/check.yml")),
    (".gitignore", include_str!("files/gitignore")),
    (MANIFEST, include_str!("files/workspace.toml")),
    ("README.md", include_str!("files/README.md.txt")),
    ("functions/Cargo.toml", include_str!("files/functions.toml")),
    ("functions/src/bin/count_words.rs", include_str!("files/count_words.rs.txt")),
    ("functions/src/bin/get_note.rs", include_str!("files/get_note.rs.txt")),
    ("functions/src/bin/post_note.rs", include_str!("files/post_note.rs.txt")),
    ("functions/src/bin/relay_outbox.rs", include_str!("files/relay_outbox.rs.txt")),
    ("functions/src/lib.rs", include_str!("files/lib.rs.txt")),
    ("samconfig.toml", include_str!("files/samconfig.toml")),
    ("template.yaml", include_str!("files/template.yaml")),
    ("tests/Cargo.toml", include_str!("files/tests.toml")),
    ("tests/api.rs", include_str!("files/api.rs.txt")),
];
