//! Tests with the project's template, and with copies that have one mistake each.

use std::collections::BTreeMap;

use sam_template::Template;

use super::between;
use crate::service::ours_built;

#[test]
fn the_template_matches_the_binaries_and_each_mistake_is_found() {
    let service = ours_built();
    let source = fs_err::read_to_string(service.template_path()).unwrap();
    let template = service.template().unwrap();
    let binaries = template.binaries();
    let descriptions = service.descriptions(&binaries).unwrap();
    assert_eq!(between(&template, &descriptions), Vec::<String>::new());

    for (right, wrong, found) in MISTAKES {
        assert!(source.contains(right), "the template no longer has {right}");
        let mistaken = source.replacen(right, wrong, 1);
        let template = Template::parse(&mistaken, &BTreeMap::new()).unwrap();
        let complaints = between(&template, &descriptions);
        let said = complaints.iter().any(|complaint| complaint.contains(found));
        assert!(said, "{right} → {wrong}: expected \"{found}\", found {complaints:?}");
    }
}

/// The correct text, the mistake, and a part of the expected message.
const MISTAKES: [(&str, &str, &str); 14] = [
    ("Path: \"/users/{userId}\", Auth", "Path: \"/user/{userId}\", Auth", "GetUserFunction: route"),
    ("Method: POST, Path: /orders", "Method: PUT, Path: /orders", "CreateOrderFunction: method"),
    (
        "        ApiHead: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: HEAD, Path: /products, Auth: {Authorizer: NONE}}}\n",
        "",
        "ListProductsFunction: has 0 routes for HEAD",
    ),
    (
        "Method: HEAD, Path: /healthcheck",
        "Method: HEAD, Path: /health",
        "GetHealthFunction: route /health",
    ),
    (
        "Path: /orders, Auth: {Authorizer: TokenAuthorizer}",
        "Path: /orders, Auth: {Authorizer: NONE}",
        "CreateOrderFunction: has no authorizer",
    ),
    (
        "Path: /users, Auth: {Authorizer: NONE}",
        "Path: /users, Auth: {Authorizer: TokenAuthorizer}",
        "PostUserFunction: has authorizer",
    ),
    (
        "IndexName: by_creation",
        "IndexName: by_birth",
        "ListProductsFunction: index: ProductsTable has no by_creation",
    ),
    (
        "{AttributeName: by_creation_sk, KeyType: RANGE}",
        "{AttributeName: pk, KeyType: RANGE}",
        "ListProductsFunction: index: ProductsTable has no by_creation",
    ),
    (
        "        - {AttributeName: sk, KeyType: RANGE}\n",
        "",
        "table: OutboxTable has the key pk, but describes pk and sk",
    ),
    (
        "      TimeToLiveSpecification: {AttributeName: expiresAt, Enabled: true}\n      PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}\n      DeletionProtectionEnabled: !Ref DeletionProtection\n      SSESpecification: {SSEEnabled: true}\n\n  OutboxTable:",
        "      SSESpecification: {SSEEnabled: true}\n\n  OutboxTable:",
        "LedgerTable keeps expired items",
    ),
    (
        "Properties: {Schedule: rate(1 minute)}",
        "Properties: {Schedule: rate(2 minutes)}",
        "ExpireSagasFunction: has the event sources",
    ),
    ("VisibilityTimeout: 120", "VisibilityTimeout: 60", "is too short: 60 s, at least 120 s"),
    (
        "SecretId: !Ref SigningKeysSecret",
        "SecretId: !Ref CursorKeySecret",
        "RotateKeysFunction: rotates CursorKeySecret, but is made for SigningKeysSecret",
    ),
    (
        "        LOG_LEVEL: !Ref LogLevel\n",
        "        LOG_LEVEL: !Ref LogLevel\n        LOG_FORMAT: json\n",
        "variable LOG_FORMAT: no function reads it",
    ),
];
