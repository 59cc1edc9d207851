//! SAM templates: a text is a template, or an error with its reason.

use std::collections::BTreeMap;

use fs_err as fs;
use sam_template::Template;

use crate::items::{files, root};
use crate::{Seed, Target, mutate};

/// The target.
pub const TEMPLATE: Target = Target {
    name: "template",
    run,
    seeds,
    mutate: mutate::bytes,
    max_len: 16 * 1024,
    dictionary: &[
        "!Ref ",
        "!Sub ",
        "!GetAtt ",
        "!If ",
        "!Join ",
        "!Split ",
        "!Select ",
        "!FindInMap ",
        "!ImportValue ",
        "Fn::Transform",
        "Fn::ForEach",
        "Fn::Sub",
        "Fn::If",
        "Resources:",
        "Globals:",
        "Parameters:",
        "Conditions:",
        "Mappings:",
        "Type: AWS::Serverless::Function",
        "Type: AWS::Serverless::HttpApi",
        "Type: AWS::Serverless::Api",
        "Type: AWS::DynamoDB::Table",
        "Type: AWS::SQS::Queue",
        "Properties:",
        "Events:",
        "Policies:",
        "Environment:",
        "Variables:",
        "&a ",
        "*a",
        "<<: *a",
        "${",
        "AWS::StackName",
        "AWS::NoValue",
        "Schedule: rate(1 minute)",
        "cron(0 * * * ? *)",
        "FilterCriteria:",
        "Pattern:",
    ],
};

fn run(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    match Template::parse(text, &BTreeMap::new()) {
        Ok(template) => {
            let _ = template.root_api();
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn seeds() -> Vec<Seed> {
    let folders = ["infra/examples", "infra/starter", "infra/sam-template", "infra/emulator"];
    let files = folders.iter().flat_map(|folder| files(&root().join(folder), "yaml"));
    let mut seeds: Vec<Seed> = files
        .enumerate()
        .filter_map(|(number, path)| {
            let text = fs::read(&path).ok()?;
            (text.len() <= TEMPLATE.max_len).then(|| (format!("file{number}"), text))
        })
        .collect();
    // The store's template is too long for one input: its resources, several at a time.
    let store = fs::read_to_string(root().join("template.yaml")).unwrap_or_default();
    let resources = store.split_once("\nResources:\n").map_or("", |(_, it)| it);
    let lines: Vec<&str> = resources.lines().collect();
    for (number, part) in lines.chunks(120).enumerate() {
        let begin = part.iter().position(|line| {
            line.starts_with("  ") && !line.starts_with("   ") && line.ends_with(':')
        });
        let text = format!("Resources:\n{}\n", part[begin.unwrap_or_default()..].join("\n"));
        seeds.push((format!("store{number}"), text.into_bytes()));
    }
    seeds
}
