//! Tests of binaries that the setting `exclude` names.

use super::*;

/// A library whose template also has a function of the excluded binary, which has one permission.
fn library(name: &str) -> Library {
    let library = Library::new(name);
    codegen::declare(&library.service(), &descriptions()).unwrap();
    let other = "\n  SeedFunction:\n    Type: AWS::Serverless::Function\n    \
                 Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: seed}}\n    \
                 Properties:\n      Policies:\n        - Statement:\n            - {Effect: Allow, \
                 Action: [dynamodb:PutItem], Resource: !GetAtt UsersTable.Arn}\n";
    let template = library.read("template.yaml");
    let template = template.replacen("\n  UsersTable:", &format!("{other}\n  UsersTable:"), 1);
    library.write("template.yaml", &template);
    library
}

#[test]
fn a_function_of_the_template_with_an_excluded_binary_is_left_alone() {
    let library = library("excluded");
    let service = library.service();
    assert_eq!(codegen::undeclared(&service, &descriptions()).unwrap(), Vec::<String>::new());
    let own = service.template_of_package().unwrap();
    assert_eq!(drift::between(&own, &descriptions()), Vec::<String>::new());
}

#[test]
fn a_function_with_the_code_of_another_folder_is_left_alone() {
    let library = library("elsewhere");
    let template = library.read("template.yaml");
    let with_code_in = |folder: &str| {
        let other = format!(
            "\n  LabelsFunction:\n    Type: AWS::Serverless::Function\n    \
             Properties: {{CodeUri: {folder}}}\n\n  UsersTable:"
        );
        library.write("template.yaml", &template.replacen("\n  UsersTable:", &other, 1));
        let service = library.service();
        assert!(service.template().unwrap().binaries().contains("labels"));
        service.binaries_in(&drift::template_of(&service).unwrap())
    };
    let own = with_code_in("../labels").unwrap();
    assert_eq!(Vec::from_iter(own), ["get_book", "put_book"]);
    let error = with_code_in("target/lambda/labels/").unwrap_err().to_string();
    assert!(error.contains("LabelsFunction has the binary labels"), "{error}");
}

#[test]
fn a_missing_binary_is_an_error_with_its_function_and_the_remedy() {
    let library = library("no-binary");
    fs_err::remove_file(library.path("lending/src/bin/put_book.rs")).unwrap();
    let service = library.service();
    for error in [
        drift::complaints(&service).unwrap_err(),
        openapi::write(&service, &library.path("openapi.json")).unwrap_err(),
    ] {
        let error = error.to_string();
        let expected = "template.yaml: PutBookFunction has the binary put_book, which no package";
        assert!(error.starts_with(expected), "{error}");
        assert!(error.ends_with("if it is new, run `cargo lifecycle codegen`"), "{error}");
    }
    assert!(!library.path("openapi.json").exists());
}

#[test]
fn a_variable_of_the_globals_may_be_read_by_an_excluded_binary_only() {
    let library = library("excluded-variable");
    let template = library.read("template.yaml");
    let variable = "    AutoPublishAlias: live\n    Environment: {Variables: {DATABASE: books}}\n";
    let template = template.replacen("    AutoPublishAlias: live\n", variable, 1);
    library.write("template.yaml", &template);
    let complaints =
        || drift::between(&drift::template_of(&library.service()).unwrap(), &descriptions());
    assert_eq!(complaints(), Vec::<String>::new());
    let (begin, end) = ("\n  SeedFunction:", "\n  UsersTable:");
    let (before, rest) = template.split_once(begin).unwrap();
    let (_, behind) = rest.split_once(end).unwrap();
    library.write("template.yaml", &[before, end, behind].concat());
    assert_eq!(complaints(), ["variable DATABASE: no function reads it: delete it from Globals"]);
}

#[test]
fn a_permission_of_an_excluded_binary_needs_no_test() {
    let library = library("excluded-permission");
    library.set("[package.metadata.lifecycle.privileges]\ntable = \"permissions.md\"");
    let expected = ["GetBookFunction", "PutBookFunction"].map(|function| {
        format!("{function} dynamodb:GetItem UsersTable: the table has no test for it")
    });
    assert_eq!(privileges::complaints(&library.service()).unwrap(), expected);
}

#[test]
fn an_excluded_file_is_no_function_although_the_binaries_are_generated() {
    let library = Library::new("excluded-file");
    library.set("generate-binaries = true");
    library.write("lending/books/get_loan.rs", "fn main() {}\n");
    library.write("lending/tools/seed.rs", "fn main() {}\n");
    let functions = codegen::binaries(&library.service()).unwrap();
    assert_eq!(Vec::from_iter(functions), ["get_loan"]);
}
