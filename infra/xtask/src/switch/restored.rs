//! A restored table, and its differences from the declared one.

use serde_json::Value;
use tooling::Error;

use crate::aws_cli::AwsCli;

/// The property that prevents the deletion of a table.
pub(super) const PROTECTION: &str = "DeletionProtectionEnabled";

/// A restored table, as AWS describes it.
pub(super) struct Restored {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) stream_arn: Option<String>,
    pub(super) described: Value,
    pub(super) expires_by: Option<String>,
    pub(super) is_recoverable: bool,
}

impl Restored {
    /// Asks AWS for the description of a table.
    pub(super) fn found(aws: &AwsCli<'_>, name: &str) -> Result<Self, Error> {
        let ask = |command: &str| aws.ask(&["dynamodb", command, "--table-name", name]);
        let described = ask("describe-table")?["Table"].take();
        let expiry = ask("describe-time-to-live")?["TimeToLiveDescription"].take();
        let backups = ask("describe-continuous-backups")?["ContinuousBackupsDescription"].take();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let is_on = |status: &Value| matches!(status.as_str(), Some("ENABLED" | "ENABLING"));
        let recovery = &backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"];
        let expires = is_on(&expiry["TimeToLiveStatus"]);
        Ok(Self {
            name: name.to_owned(),
            arn: text(&described["TableArn"]).ok_or_else(|| format!("{name} has no ARN"))?,
            stream_arn: text(&described["LatestStreamArn"]),
            expires_by: text(&expiry["AttributeName"]).filter(|_| expires),
            is_recoverable: is_on(recovery),
            described,
        })
    }

    /// The differences from the declared properties. A restored table starts without time to live,
    /// stream, point-in-time recovery and deletion protection.
    pub(super) fn differences(&self, declared: &Value) -> Vec<String> {
        let described = &self.described;
        let mut differences = Vec::new();
        if described["TableStatus"] != "ACTIVE" {
            differences.push("it is not ACTIVE".to_owned());
        }
        if described["KeySchema"] != declared["KeySchema"] {
            differences.push("it has another key".to_owned());
        }
        let expires_by = declared["TimeToLiveSpecification"]["AttributeName"].as_str();
        if self.expires_by.as_deref() != expires_by {
            differences.push(match expires_by {
                Some(attribute) => format!("it has no time to live by {attribute}"),
                None => "the template declares no time to live".to_owned(),
            });
        }
        let view = &declared["StreamSpecification"]["StreamViewType"];
        if &described["StreamSpecification"]["StreamViewType"] != view {
            differences.push(match view.as_str() {
                Some(view) => format!("it has no stream of {view}"),
                None => "the template declares no stream".to_owned(),
            });
        }
        let recovery = &declared["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"];
        let encryption = &declared["SSESpecification"]["SSEEnabled"];
        let is_encrypted = described["SSEDescription"]["Status"] == "ENABLED";
        for (property, declared, found) in [
            ("point-in-time recovery", recovery, self.is_recoverable),
            ("encryption by KMS", encryption, is_encrypted),
            ("deletion protection", &declared[PROTECTION], described[PROTECTION] == true),
        ] {
            match (declared == true, found) {
                (true, false) => differences.push(format!("it has no {property}")),
                (false, true) => differences.push(format!("the template declares no {property}")),
                _ => {}
            }
        }
        differences.extend(self.different_indexes(declared));
        differences
    }

    /// The declared indexes that this table lacks, and its indexes that are not declared.
    fn different_indexes(&self, declared: &Value) -> Vec<String> {
        let [declared, described] = [declared, &self.described].map(|table| {
            table["GlobalSecondaryIndexes"].as_array().map(Vec::as_slice).unwrap_or_default()
        });
        let is_same = |one: &Value, other: &Value| {
            one["IndexName"] == other["IndexName"] && one["KeySchema"] == other["KeySchema"]
        };
        let is_there = |index: &Value| {
            described.iter().any(|it| is_same(index, it) && it["IndexStatus"] == "ACTIVE")
        };
        let lacking = declared.iter().filter(|index| !is_there(index));
        let lacking = lacking.map(|index| format!("it has no active index {}", index["IndexName"]));
        let surplus =
            described.iter().filter(|it| !declared.iter().any(|index| is_same(index, it)));
        let surplus =
            surplus.map(|index| format!("the template declares no index {}", index["IndexName"]));
        lacking.chain(surplus).collect()
    }

    /// The value of a table attribute that the template refers to.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        match name {
            "Arn" => Some(&self.arn),
            "StreamArn" => self.stream_arn.as_deref(),
            _ => None,
        }
    }
}
