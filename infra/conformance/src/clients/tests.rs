use house::workspace;

/// The code blocks of this language in the documentation.
fn blocks(language: &str) -> Vec<String> {
    let opened = format!("```{language}\n");
    let mut blocks = Vec::new();
    for page in ["README.md", "infra/docs/CLIENTS.md"] {
        let page = fs_err::read_to_string(workspace().join(page)).unwrap();
        let found = page.split(&opened).skip(1).filter_map(|rest| rest.split("```").next());
        blocks.extend(found.map(str::to_owned));
    }
    blocks
}

/// A text without indentation, which an excerpt may lack.
fn flat(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_code_block_of_the_documentation_is_part_of_a_run_program() {
    for (language, story) in [("ts", "typescript/story.ts"), ("python", "python/story.py")] {
        let path = workspace().join("infra/clients").join(story);
        let story = flat(&fs_err::read_to_string(path).unwrap());
        let blocks = blocks(language);
        assert!(blocks.len() >= 4, "{language}: {}", blocks.len());
        for block in blocks {
            assert!(story.contains(flat(&block).trim()), "{language}: not in the program: {block}");
        }
    }
}

#[test]
fn a_lock_file_has_versions_and_checksums_and_no_registry() {
    for client in ["typescript", "page", "console"] {
        let folder = workspace().join("infra/clients").join(client);
        let lock = fs_err::read(folder.join("package-lock.json")).unwrap();
        let lock: serde_json::Value = serde_json::from_slice(&lock).unwrap();
        let packages = lock["packages"].as_object().unwrap();
        let packages = packages.iter().filter(|(name, _)| !name.is_empty());
        for (name, package) in packages {
            assert!(package["integrity"].is_string(), "{client}: {name} has no checksum");
            assert!(package["resolved"].is_null(), "{client}: {name} has a download address");
        }
    }
}
