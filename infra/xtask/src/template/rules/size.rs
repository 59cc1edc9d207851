//! `CloudFormation`'s quotas for one template.

use std::collections::BTreeMap;

use serde_json::Value;

/// The sections and their maximum numbers of entries.
const QUOTAS: [(&str, usize); 4] =
    [("Resources", 500), ("Parameters", 200), ("Outputs", 200), ("Mappings", 200)];

pub(super) fn complaints(templates: &BTreeMap<String, Value>) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, template) in templates {
        for (section, most) in QUOTAS {
            let count = template[section].as_object().map_or(0, serde_json::Map::len);
            if count > most {
                complaints.push(format!("{path}: {count} {section}, the quota is {most}"));
            }
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_above_its_quota_is_found() {
        let parameters: Value = (0..201).map(|n| (n.to_string(), Value::Null)).collect();
        let template = serde_json::json!({ "Parameters": parameters });
        let found = complaints(&BTreeMap::from([("a.yaml".to_owned(), template)]));
        assert_eq!(found, ["a.yaml: 201 Parameters, the quota is 200"]);
    }
}
