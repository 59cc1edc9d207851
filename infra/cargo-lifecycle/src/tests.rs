//! Tests of the commands on a service that has nothing of this repository. Its functions are not
//! built: their descriptions are given.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tooling::descriptions::{Description, Route};

use crate::codegen::tests::description;
use crate::fixture::Library;
use crate::new_endpoint::{Method, NewConsumer, NewEndpoint};
use crate::service::{Location, Service};
use crate::{codegen, drift, new_endpoint, openapi, privileges};

mod excluded;
mod generated;

/// The descriptions of the library's endpoints, for the template.
fn descriptions() -> BTreeMap<String, Description> {
    let endpoint = |method: &str| {
        let route = Route { method: method.to_owned(), path: "/books/{bookId}".to_owned() };
        Description { route: Some(route), ..description("endpoint", None) }
    };
    [("get_book".to_owned(), endpoint("GET")), ("put_book".to_owned(), endpoint("PUT"))].into()
}

/// The description of an endpoint, for the document.
fn described(method: &str) -> Value {
    let text = json!({ "type": "string", "maxLength": 9 });
    let object = json!({
        "type": "object", "properties": { "title": text }, "additionalProperties": false,
    });
    json!({
        "kind": "endpoint",
        "route": { "method": method, "path": "/books/{bookId}" },
        "signIn": "none",
        "status": 200,
        "bodyBytesMax": 1024,
        "idempotency": "none",
        "limit": { "quota": 600, "windowSeconds": 60 },
        "refusals": [{ "status": 404, "code": "NOT_FOUND", "message": "It does not exist." }],
        "input": {
            "path": { "type": "object", "properties": { "bookId": { "type": "string" } } },
            "body": if method == "GET" { Value::Null } else { object.clone() },
        },
        "output": { "type": "object", "properties": { "data": object } },
    })
}

#[test]
fn codegen_fills_the_template_of_another_service_and_drift_finds_it_right() {
    let library = Library::new("codegen");
    let (service, descriptions) = (library.service(), descriptions());
    let missing = codegen::undeclared(&service, &descriptions).unwrap();
    let [get, put] = &missing[..] else { panic!("{missing:?}") };
    assert!(get.starts_with("template.yaml: GetBookFunction\n"), "{get}");
    assert!(put.starts_with("template.yaml: PutBookFunction\n"), "{put}");

    codegen::register(&service).unwrap();
    codegen::declare(&service, &descriptions).unwrap();
    let template = library.read("template.yaml");
    assert!(template.contains("Method: PUT, Path: \"/books/{bookId}\""), "{template}");
    assert!(template.contains("USERS_TABLE: !Ref UsersTable"), "{template}");
    assert!(template.contains("      # </generated>\n      Timeout: 20\n"), "{template}");
    assert_eq!(codegen::undeclared(&service, &descriptions).unwrap(), Vec::<String>::new());
    let parsed = service.template().unwrap();
    assert_eq!(drift::between(&parsed, &descriptions), Vec::<String>::new());

    // SAM accepts `NONE` only where a default authorizer closes the API.
    assert!(!template.contains("Auth:"), "{template}");
    let api = "  Api:\n    Type: AWS::Serverless::HttpApi\n    Properties:\n      Auth:\n        \
               DefaultAuthorizer: TokenAuthorizer\n";
    let open =
        "  Api:\n    Type: AWS::Serverless::HttpApi\n    Properties: {StageName: $default}\n";
    library.write("template.yaml", &template.replace(open, api));
    codegen::declare(&service, &descriptions).unwrap();
    let closed = library.read("template.yaml");
    assert!(closed.contains("Path: \"/books/{bookId}\", Auth: {Authorizer: NONE}}}"), "{closed}");

    library.write("template.yaml", &template.replacen("Method: GET", "Method: POST", 1));
    let complaints = drift::between(&service.template().unwrap(), &descriptions);
    assert_eq!(complaints, ["GetBookFunction: method POST, but describes GET"]);
}

#[test]
fn the_document_of_another_service_has_its_name_and_needs_no_recorded_responses() {
    let library = Library::new("openapi");
    let raw = || BTreeMap::from([("get_book".to_owned(), described("GET"))]);
    let document = openapi::document(&library.service(), raw()).unwrap();
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["info"]["title"], "lending");
    assert_eq!(document["info"]["version"], "0.3.0");
    let get = &document["paths"]["/books/{bookId}"]["get"];
    assert_eq!((&get["summary"], &get["tags"]), (&json!("A book"), &json!(["lending"])));
    let content = &get["responses"]["200"]["content"]["application/json"];
    assert!(content["schema"].is_object() && content.get("example").is_none(), "{content}");

    library.set(
        "recorded = \"recorded\"\n[package.metadata.lifecycle.openapi]\ninfo = { title = \"The \
         library\", description = \"Loans last a month.\" }\ntags = [{ name = \"lending\", \
         description = \"Books.\" }]",
    );
    library.write("recorded/get_book.json", r#"{"status":"200","headers":{},"body":{"data":{}}}"#);
    let document = openapi::document(&library.service(), raw()).unwrap();
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["info"]["title"], "The library");
    let description = document["info"]["description"].as_str().unwrap();
    assert!(description.ends_with("at once. Loans last a month."), "{description}");
    assert_eq!(document["tags"][0]["description"], "Books.");
    let get = &document["paths"]["/books/{bookId}"]["get"];
    let content = &get["responses"]["200"]["content"]["application/json"];
    assert_eq!(content["example"], json!({ "data": {} }));

    library.set(
        "[package.metadata.lifecycle.openapi]\ntags = [{ name = \"loans\", description = \"\" }]",
    );
    let error = openapi::document(&library.service(), raw()).unwrap_err().to_string();
    assert_eq!(error, "openapi.tags has loans, but no endpoint is in such a folder");
}

#[test]
fn a_body_has_an_example_only_if_the_service_has_test_events() {
    let library = Library::new("bodies");
    let raw = || BTreeMap::from([("put_book".to_owned(), described("PUT"))]);
    let body = |document: String| -> Value {
        let document: Value = serde_json::from_str(&document).unwrap();
        let put = &document["paths"]["/books/{bookId}"]["put"];
        put["requestBody"]["content"]["application/json"].clone()
    };
    let document = openapi::document(&library.service(), raw()).unwrap();
    assert!(body(document).get("example").is_none());

    library.set("events = \"events\"");
    library.write("events/put_book.json", r#"{"body":"{\"title\":\"Emma\"}"}"#);
    let document = openapi::document(&library.service(), raw()).unwrap();
    assert_eq!(body(document)["example"], json!({ "title": "Emma" }));
    library.write("events/put_book.json", "{}");
    let error = openapi::document(&library.service(), raw()).unwrap_err().to_string();
    assert_eq!(error, "the event of put_book has no body");
}

/// An operation of the document that describes one endpoint of the library.
fn operation(name: &str, binary: &str, description: Value) -> Value {
    let library = Library::new(name);
    let method = description["route"]["method"].as_str().unwrap().to_lowercase();
    let raw = BTreeMap::from([(binary.to_owned(), description)]);
    let document = openapi::document(&library.service(), raw).unwrap();
    let mut document: Value = serde_json::from_str(&document).unwrap();
    document["paths"]["/books/{bookId}"][method].take()
}

#[test]
fn an_endpoint_without_a_limit_has_no_headers_of_one() {
    let headers = |operation: &Value| {
        let success = operation["responses"]["200"]["headers"].as_object().unwrap();
        success.keys().filter(|name| name.starts_with("ratelimit")).count()
    };
    assert_eq!(headers(&operation("limited", "get_book", described("GET"))), 2);
    let mut described = described("GET");
    described["limit"] = Value::Null;
    let unlimited = operation("unlimited", "get_book", described);
    assert_eq!(headers(&unlimited), 0);
    assert_eq!(unlimited["description"], "");
}

#[test]
fn a_form_and_a_table_have_their_media_types_and_a_cookie_is_a_parameter() {
    let mut form = described("PUT");
    form["input"]["bodyType"] = json!("application/x-www-form-urlencoded");
    form["input"]["body"]["properties"]["title"]["type"] = json!(["string", "null"]);
    form["input"]["cookies"] =
        json!({ "type": "object", "properties": { "theme": { "type": "string" } } });
    form["output"] = json!({ "type": "string" });
    form["outputType"] = json!("text/csv; charset=utf-8");
    form["failureStatus"] = json!(404);
    let put = operation("forms", "put_book", form);
    let contents = put["requestBody"]["content"].as_object().unwrap();
    let media_types: Vec<&String> = contents.keys().collect();
    assert_eq!(media_types, ["application/x-www-form-urlencoded"]);
    let content = &contents["application/x-www-form-urlencoded"];
    let title = content["schema"]["properties"]["title"]["type"].as_str();
    assert_eq!(title, Some("string"));
    let cookie = put["parameters"].as_array().unwrap().iter().find(|it| it["in"] == "cookie");
    assert_eq!(cookie.unwrap()["name"], "theme");
    for status in ["200", "404"] {
        let table = &put["responses"][status]["content"]["text/csv; charset=utf-8"];
        assert_eq!(table["schema"], json!({ "type": "string" }), "{status}");
    }
    assert!(put["responses"]["200"]["content"].get("application/json").is_none());
}

#[test]
fn the_info_names_one_shape_only_if_all_responses_have_it() {
    let info = |change: &dyn Fn(&mut Value)| {
        let mut described = described("PUT");
        change(&mut described);
        let raw = BTreeMap::from([("put_book".to_owned(), described)]);
        let document = openapi::document(&Library::new("shapes").service(), raw).unwrap();
        let document: Value = serde_json::from_str(&document).unwrap();
        document["info"]["description"].as_str().unwrap().to_owned()
    };
    let usual = info(&|_| {});
    assert!(usual.starts_with("Every response is one JSON document: `{\"data\": …}`"), "{usual}");
    let table = info(&|it| it["outputType"] = json!("text/csv"));
    assert!(
        table.starts_with("Each operation names the media type of its response. An"),
        "{table}"
    );
    let problems = json!({ "mediaType": "application/problem+json", "schema": null });
    let errors = info(&|it| it["errorBody"] = problems.clone());
    assert!(errors.contains("one JSON document. Each operation names the shape of"), "{errors}");
    let both = info(&|it| {
        it["outputType"] = json!("text/csv");
        it["errorBody"] = problems.clone();
    });
    assert!(!both.contains("JSON document") && !both.contains("\"error\""), "{both}");
}

#[test]
fn a_415_has_the_header_of_the_bodies_that_the_operation_takes() {
    let form = "application/x-www-form-urlencoded";
    for (method, body_type, expected) in [
        ("PUT", Value::Null, ["accept", "accept-encoding"]),
        ("PATCH", Value::Null, ["accept-encoding", "accept-patch"]),
        ("PATCH", json!(form), ["accept", "accept-encoding"]),
    ] {
        let mut described = described(method);
        described["input"]["bodyType"] = body_type;
        described["refusals"] =
            json!([{ "status": 415, "code": "UNSUPPORTED_MEDIA_TYPE", "message": "Other." }]);
        let raw = BTreeMap::from([("put_book".to_owned(), described)]);
        let library = Library::new("types");
        let about = format!("//! `{method} /books/{{bookId}}`: changes a book.\n");
        library.write("lending/src/bin/put_book.rs", &about);
        let document = openapi::document(&library.service(), raw).unwrap();
        let mut document: Value = serde_json::from_str(&document).unwrap();
        let response = document["components"]["responses"]["UnsupportedMediaType"].take();
        let headers = response["headers"].as_object().unwrap().keys();
        let named: Vec<_> = headers.filter(|name| name.starts_with("accept")).collect();
        assert_eq!(named, expected, "{method}");
    }
}

#[test]
fn the_examples_of_errors_are_of_the_service() {
    let library = Library::new("samples");
    let mut put = described("PUT");
    put["refusals"] = json!([{ "status": 400, "code": "INVALID_REQUEST", "message": "Invalid." }]);
    put["input"]["body"]["required"] = json!(["title"]);
    let raw = BTreeMap::from([("put_book".to_owned(), put)]);
    let document = openapi::document(&library.service(), raw).unwrap();
    assert!(document.contains("\"instance\": \"/books/00000000\""), "{document}");
    assert!(document.contains("\"field\": \"/title\""), "{document}");
    assert!(!document.contains("/order") && !document.contains("quantity"), "{document}");
}

#[test]
fn without_a_setting_the_document_and_the_table_of_permissions_have_no_place() {
    let library = Library::new("places");
    let service = library.service();
    let error = openapi::place(&service, None).unwrap_err().to_string();
    assert!(error.contains("openapi.document"), "{error}");
    assert_eq!(
        openapi::place(&service, Some("api.json".into())).unwrap().to_str(),
        Some("api.json")
    );
    codegen::declare(&service, &descriptions()).unwrap();
    let error = privileges::complaints(&service).unwrap_err().to_string();
    assert!(error.contains("privileges.table"), "{error}");
}

#[test]
fn a_permission_without_a_row_in_the_table_is_reported() {
    let library = Library::new("permissions");
    library.set("[package.metadata.lifecycle.privileges]\ntable = \"permissions.md\"");
    let service = library.service();
    codegen::declare(&service, &descriptions()).unwrap();
    let row = "| `GetBookFunction` | `dynamodb:GetItem` | `UsersTable` | `api::a_book` |\n";
    library.write("permissions.md", row);
    let permission = "PutBookFunction dynamodb:GetItem UsersTable";
    let expected = [format!("{permission}: the table has no test for it")];
    assert_eq!(privileges::complaints(&service).unwrap(), expected);
}

#[test]
fn new_functions_are_made_of_the_default_skeletons_without_settings() {
    let library = Library::new("new");
    let service = library.service();
    codegen::declare(&service, &descriptions()).unwrap();
    let endpoint = |name: &str, method, path: &str| NewEndpoint {
        name: name.to_owned(),
        method,
        path: path.to_owned(),
        folder: None,
    };
    let query = endpoint("get_loan", Method::Get, "/loans/{loanId}");
    let created = new_endpoint::endpoint(&service, &query).unwrap();
    assert_eq!(created.files, [library.path("lending/src/bin/get_loan.rs")]);
    let command = endpoint("put_loan", Method::Put, "/loans");
    new_endpoint::endpoint(&service, &command).unwrap();
    let consumer = NewConsumer {
        name: "send_reminder".to_owned(),
        queue: "reminders".to_owned(),
        folder: None,
    };
    new_endpoint::consumer(&service, &consumer).unwrap();
    for (name, line) in [
        ("get_loan", "impl Query for GetLoan {"),
        ("put_loan", "impl Endpoint for PutLoan {"),
        ("send_reminder", "impl Consumer for SendReminder {"),
    ] {
        let text = library.read(&format!("lending/src/bin/{name}.rs"));
        assert!(text.contains(line), "{text}");
        assert!(!text.contains("{PATH}") && !text.contains("domain::"), "{text}");
        assert!(service.again().unwrap().binaries().contains_key(name));
    }
    let known = endpoint("get_it", Method::Get, "/books/{id}");
    let error = new_endpoint::endpoint(&service, &known).unwrap_err().to_string();
    assert!(error.contains("already belongs to GetBookFunction"), "{error}");
}

#[test]
fn the_functions_are_the_packages_binaries_without_the_excluded_ones() {
    let library = Library::new("binaries");
    let service = library.service();
    let functions = codegen::binaries(&service).unwrap();
    assert_eq!(Vec::from_iter(functions), ["get_book", "put_book"]);
    let group = |path: &str| service.group(&library.path(path));
    assert_eq!(group("lending/src/bin/get_book.rs"), "lending");
    assert_eq!(group("lending/src/bin/get_book/main.rs"), "lending");
    assert_eq!(group("lending/books/get_book.rs"), "books");
}

#[test]
fn the_package_is_the_only_one_with_a_binary_that_the_template_names() {
    let library = Library::new("packages");
    codegen::declare(&library.service(), &descriptions()).unwrap();
    let workspace = "[workspace]\nresolver = \"3\"\nmembers = [\"lending\", \"tools\"]\n";
    library.write("Cargo.toml", workspace);
    library.write("tools/Cargo.toml", "[package]\nname = \"tools\"\nedition = \"2024\"\n");
    library.write("tools/src/bin/count.rs", "fn main() {}\n");
    assert_eq!(library.service().package(), "lending");

    let at = |package: &str| Location { package: Some(package.to_owned()), ..library.location() };
    assert_eq!(Service::find(&at("tools")).unwrap().package(), "tools");
    let error = Service::find(&at("shop")).unwrap_err().to_string();
    assert!(error.ends_with("no package shop; packages with binaries: lending, tools"), "{error}");

    let template = library.read("template.yaml");
    library.write("template.yaml", &template.replace("Binary: put_book", "Binary: count"));
    let error = Service::find(&library.location()).unwrap_err().to_string();
    assert!(
        error.ends_with("several packages; choose one with --package: lending, tools"),
        "{error}"
    );
    let unknown = template.replace("put_book", "put_it").replace("get_book", "get_it");
    library.write("template.yaml", &unknown);
    let error = Service::find(&library.location()).unwrap_err().to_string();
    assert!(error.contains("names no binary of the workspace"), "{error}");
}

#[test]
fn a_function_of_another_package_is_left_alone() {
    let library = Library::new("others");
    codegen::declare(&library.service(), &descriptions()).unwrap();
    let workspace = "[workspace]\nresolver = \"3\"\nmembers = [\"lending\", \"tools\"]\n";
    library.write("Cargo.toml", workspace);
    library.write("tools/Cargo.toml", "[package]\nname = \"tools\"\nedition = \"2024\"\n");
    library.write("tools/src/bin/count.rs", "fn main() {}\n");
    let other = "\n  CountFunction:\n    Type: AWS::Serverless::Function\n    \
                 Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: count}}\n";
    let template = library.read("template.yaml");
    let template = template.replacen("\n  UsersTable:", &format!("{other}\n  UsersTable:"), 1);
    library.write("template.yaml", &template);

    let package = Some("lending".to_owned());
    let service = Service::find(&Location { package, ..library.location() }).unwrap();
    assert_eq!(codegen::undeclared(&service, &descriptions()).unwrap(), Vec::<String>::new());
    assert_eq!(service.template().unwrap().functions.len(), 3);
    let own = service.template_of_package().unwrap();
    assert_eq!(drift::between(&own, &descriptions()), Vec::<String>::new());

    library.write("template.yaml", &template.replace("Binary: count", "Binary: sum"));
    let error = codegen::undeclared(&service, &descriptions()).unwrap_err().to_string();
    let expected = "CountFunction has the binary sum, which no package of the workspace has";
    assert!(error.starts_with(&format!("template.yaml: {expected}")), "{error}");
}

#[test]
fn an_unknown_setting_is_an_error_with_the_manifest() {
    let library = Library::new("settings");
    library.set("alarm = \"alarms.yaml\"");
    let error = Service::find(&library.location()).unwrap_err().to_string();
    assert!(error.contains("lending/Cargo.toml") && error.contains("`alarm`"), "{error}");
}
