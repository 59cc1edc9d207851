//! Data: encryption, retention and deletion of tables, secrets and logs.

use super::stack::{Resource, Stack};
use super::words;

/// Tables with temporary data, or data that can be rebuilt. Only these may be deleted with the
/// stack.
const FLEETING: [&str; 5] =
    ["CircuitsTable", "LimitsTable", "ObjectsTable", "OrderSummariesTable", "TokensTable"];

/// Secrets that third parties issue, and the key of cursors: changing it ends running page walks.
const UNROTATED: [&str; 3] = ["CursorKeySecret", "NotifiersSecret", "PartnerCredentialsSecret"];
/// Secrets that are rotated together with another one.
const ROTATED_ALONG: [&str; 1] = ["VerificationKeysSecret"];

pub(super) fn complaints(main: Stack<'_>) -> Vec<String> {
    let tables = main.resources("AWS::DynamoDB::Table").flat_map(table);
    let secrets = main.resources("AWS::SecretsManager::Secret").flat_map(|secret| {
        kept(secret).into_iter().map(move |what| format!("{}: {what}", secret.id))
    });
    let rotations = main.resources("AWS::SecretsManager::Secret");
    let rotations = rotations.filter_map(|secret| rotation(main, secret));
    let groups = main.resources("AWS::Logs::LogGroup");
    let groups = groups.filter(|group| group.property("/RetentionInDays").is_null());
    let groups = groups.map(|group| format!("{}: has no log retention", group.id));
    let names = main.resources("AWS::Logs::LogGroup");
    let names = names.filter(|group| !words::is_of_creation(group.property("/LogGroupName")));
    let names =
        names.map(|group| format!("{}: its name is still in use for the next stack", group.id));
    let groups = groups.chain(names).chain(outputs(main));
    let functions = main.resources("AWS::Lambda::Function").flat_map(|it| logging(main, it));
    let all = tables.chain(secrets).chain(rotations).chain(groups).chain(functions);
    all.chain(stale(main)).collect()
}

/// The names in the lists above that the template does not have, and unrotated secrets that it
/// rotates: such an entry would exempt a later resource of the name from a rule.
fn stale(main: Stack<'_>) -> impl Iterator<Item = String> {
    let secret = "AWS::SecretsManager::Secret";
    let lists: [(_, &[&str], _); 3] = [
        ("FLEETING", &FLEETING, "AWS::DynamoDB::Table"),
        ("UNROTATED", &UNROTATED, secret),
        ("ROTATED_ALONG", &ROTATED_ALONG, secret),
    ];
    let missing = lists.into_iter().flat_map(move |(list, names, kind)| {
        let missing =
            names.iter().filter(move |name| main.resources(kind).all(|it| it.id != **name));
        missing.map(move |name| format!("{list} has {name}, which the template does not have"))
    });
    let rotations = main.resources("AWS::SecretsManager::RotationSchedule");
    let rotated = rotations.filter_map(|it| words::referred(it.property("/SecretId")));
    let rotated = rotated.filter(|secret| UNROTATED.contains(secret));
    missing.chain(rotated.map(|secret| format!("UNROTATED has {secret}, which is rotated")))
}

fn table(table: Resource<'_>) -> Vec<String> {
    let fleeting = FLEETING.contains(&table.id);
    let protected = !table.property("/DeletionProtectionEnabled").is_null();
    let recovers = "/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled";
    let checks = [
        (table.is("/SSESpecification/SSEEnabled", true), "is not encrypted by a key of KMS"),
        (table.is("/BillingMode", "PAY_PER_REQUEST"), "is not billed per request"),
        (fleeting || table.is(recovers, true), "has no point-in-time recovery"),
        (fleeting || protected, "is not protected from deletion"),
    ];
    let broken = checks.into_iter().filter(|(holds, _)| !holds).map(|(_, what)| what);
    let kept = kept(table).filter(|_| !fleeting);
    broken.chain(kept).map(|what| format!("{}: {what}", table.id)).collect()
}

/// The problem with a resource's deletion policies: it must outlive the stack, but not a failed
/// creation.
fn kept(resource: Resource<'_>) -> Option<&'static str> {
    let policy = |name: &str| resource.declaration[name].as_str().unwrap_or("Delete");
    match (policy("DeletionPolicy"), policy("UpdateReplacePolicy")) {
        ("RetainExceptOnCreate", "Retain") => None,
        ("Retain", "Retain") => Some("is kept if the first deployment fails"),
        _ => Some("is deleted with the stack"),
    }
}

/// The problem with a secret's rotation, if it should have one.
fn rotation(main: Stack<'_>, secret: Resource<'_>) -> Option<String> {
    if UNROTATED.contains(&secret.id) || ROTATED_ALONG.contains(&secret.id) {
        return None;
    }
    let mut rotations = main.resources("AWS::SecretsManager::RotationSchedule");
    let rotation =
        rotations.find(|it| words::referred(it.property("/SecretId")) == Some(secret.id));
    let Some(rotation) = rotation else {
        return Some(format!("{}: has no rotation", secret.id));
    };
    let function = rotation.property("/RotationLambdaARN");
    let mut permissions = main.resources("AWS::Lambda::Permission");
    let may = permissions.any(|it| {
        it.property("/FunctionName") == function
            && it.is("/Principal", "secretsmanager.amazonaws.com")
            && !it.property("/SourceAccount").is_null()
    });
    (!may).then(|| format!("{}: Secrets Manager of this account may not rotate it", secret.id))
}

fn logging(main: Stack<'_>, function: Resource<'_>) -> Vec<String> {
    let mut complaints = Vec::new();
    let group = function.property("/LoggingConfig/LogGroup");
    if main.named("AWS::Logs::LogGroup", group).is_none() {
        complaints.push(format!("{}: has no log group of the template", function.id));
    }
    if !function.is("/LoggingConfig/LogFormat", "JSON") {
        complaints.push(format!("{}: does not log JSON", function.id));
    }
    complaints
}

/// Outputs with a secret that is filled automatically. Outputs are for operators, who would
/// overwrite it.
fn outputs(main: Stack<'_>) -> Vec<String> {
    let outputs = main.0["Outputs"].as_object().into_iter().flatten();
    let named = outputs.filter_map(|(name, output)| {
        let secret = main.named("AWS::SecretsManager::Secret", &output["Value"])?;
        let rotated = !UNROTATED.contains(&secret.id);
        let fills_itself = rotated || !secret.property("/GenerateSecretString").is_null();
        fills_itself.then(|| format!("output {name}: {} is not filled by an operator", secret.id))
    });
    named.collect()
}

/// Tables that outlive the stack, but that AWS Backup does not copy, and vaults whose names the next
/// stack could not use: they outlive the stack.
pub(super) fn copied(main: Stack<'_>, backup: Stack<'_>) -> Vec<String> {
    let nested = main.resources("AWS::CloudFormation::Stack").find(|it| it.id == "Backups");
    let given = nested.map(|it| it.property("/Parameters/Tables/Fn::Join/1"));
    let given: Vec<&str> =
        given.into_iter().flat_map(words::each).filter_map(words::referred).collect();
    let mut selections = backup.resources("AWS::Backup::BackupSelection");
    let selects = selections.any(|it| it.property("/BackupSelection/Resources/Ref") == "Tables");
    let tables = main.resources("AWS::DynamoDB::Table");
    let kept = tables.filter(|table| !FLEETING.contains(&table.id));
    let missing = kept.filter(|table| !selects || !given.contains(&table.id));
    let missing = missing.map(|table| format!("{}: AWS Backup does not copy it", table.id));
    let vaults = backup.resources("AWS::Backup::BackupVault");
    let taken = vaults.filter(|vault| {
        !words::spelled(vault.property("/BackupVaultName")).ends_with("-${Creation}")
    });
    missing.chain(taken.map(|it| format!("{}: its name is in use after deletion", it.id))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;

    #[test]
    fn a_list_with_a_resource_that_is_gone_or_rotated_is_found() {
        let resource =
            |kind: &'static str| move |id: &&str| ((*id).to_owned(), json!({ "Type": kind }));
        let tables = FLEETING.iter().map(resource("AWS::DynamoDB::Table"));
        let secrets = UNROTATED.iter().chain(&ROTATED_ALONG);
        let secrets = secrets.map(resource("AWS::SecretsManager::Secret"));
        let mut main = json!({ "Resources": tables.chain(secrets).collect::<Map<_, Value>>() });
        assert_eq!(stale(Stack(&main)).collect::<Vec<_>>(), Vec::<String>::new());

        main["Resources"]["Rotation"] = json!({
            "Type": "AWS::SecretsManager::RotationSchedule",
            "Properties": { "SecretId": { "Ref": "NotifiersSecret" } },
        });
        main["Resources"]["TokensTable"]["Type"] = json!("AWS::SQS::Queue");
        main["Resources"]["CursorKeySecret"].take();
        assert_eq!(
            stale(Stack(&main)).collect::<Vec<_>>(),
            [
                "FLEETING has TokensTable, which the template does not have",
                "UNROTATED has CursorKeySecret, which the template does not have",
                "UNROTATED has NotifiersSecret, which is rotated",
            ]
        );
    }
}
