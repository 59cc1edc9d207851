//! Tests of the document with generated endpoints, and with types that contain themselves.

use super::*;

/// The name of the type that a generated endpoint answers with.
fn answer_of(text: &str) -> &str {
    let (_, behind) = text.split_once("type Reply = reply::Ok<").unwrap();
    behind.split_once('>').unwrap().0
}

#[test]
fn two_generated_endpoints_with_other_parameters_have_one_document() {
    let library = Library::new("generated");
    let service = library.service();
    codegen::declare(&service, &descriptions()).unwrap();
    let mut raw = BTreeMap::new();
    for (name, method, path, field) in [
        ("get_loan", Method::Get, "/loans/{loanId}", "loanId"),
        ("list_members", Method::Get, "/members/{memberId}", "memberId"),
        ("put_loan", Method::Put, "/loans/{loanId}", "loanNumber"),
    ] {
        let new =
            NewEndpoint { name: name.to_owned(), method, path: path.to_owned(), folder: None };
        new_endpoint::endpoint(&service, &new).unwrap();
        let text = library.read(&format!("lending/src/bin/{name}.rs"));
        assert!(text.contains(&format!("struct {} {{", answer_of(&text))), "{text}");
        let mut description = described(&method.in_capitals());
        description["route"]["path"] = json!(path);
        description["output"]["properties"]["data"] = json!({
            "title": answer_of(&text), "type": "object",
            "properties": { (field): { "type": "string" } },
        });
        raw.insert(name.to_owned(), description);
    }
    let document = openapi::document(&service.again().unwrap(), raw).unwrap();
    let document: Value = serde_json::from_str(&document).unwrap();
    let members = &document["components"]["schemas"]["ListMembersAnswer"];
    assert_eq!(members["properties"]["memberId"]["type"], "string");
}

#[test]
fn a_view_that_contains_itself_refers_to_its_component() {
    let library = Library::new("recursive");
    let schema = |root: &str| {
        json!({
            "title": "Shelf", "type": "object",
            "properties": { "shelves": { "type": "array", "items": { "$ref": root } } },
        })
    };
    let nested = json!({ "type": "object", "properties": { "data": schema("#/properties/data") } });
    for output in [nested, schema("#")] {
        let mut description = described("GET");
        description["output"] = output;
        let raw = BTreeMap::from([("get_book".to_owned(), description)]);
        let document = openapi::document(&library.service(), raw).unwrap();
        let document: Value = serde_json::from_str(&document).unwrap();
        let shelf = &document["components"]["schemas"]["Shelf"];
        let items = &shelf["properties"]["shelves"]["items"];
        assert_eq!(items["$ref"], "#/components/schemas/Shelf", "{document}");
    }
}
