//! Writes the files of a new function.

use std::path::{Path, PathBuf};
use std::process::Command;

use sam_template::Template;
use tooling::Error;
use tooling::process::succeeded;

use super::consumer::NewConsumer;
use super::endpoint::NewEndpoint;
use super::{examples, skeleton};
use crate::codegen;
use crate::service::Service;

/// A new function.
#[derive(Debug)]
#[non_exhaustive]
pub struct Created {
    /// The name of its binary.
    pub name: String,
    /// The files that were written for it.
    pub files: Vec<PathBuf>,
}

/// Writes the file and the examples of an endpoint, and registers it with cargo.
///
/// # Errors
///
/// If the name or the route is invalid or exists, or if a file cannot be written.
pub fn endpoint(service: &Service, endpoint: &NewEndpoint) -> Result<Created, Error> {
    endpoint.check()?;
    endpoint.refuse_known_route(&template_without(service, &endpoint.name)?)?;
    let (settings, model) = (service.settings(), service.settings().new.endpoint_model.as_ref());
    let mut files = Vec::new();
    if let Some((path, text)) = example(service, settings.events.as_ref(), model, &endpoint.name)? {
        files.push((path, examples::event(&text, endpoint)?));
    }
    if let Some((path, text)) = example(service, settings.recorded.as_ref(), model, &endpoint.name)?
    {
        files.push((path, examples::recorded(&text, endpoint)?));
    }
    let text = skeleton::filled(service, endpoint)?;
    create(service, endpoint.folder.as_deref(), &endpoint.name, text, files)
}

/// Writes the file and the event of a consumer, and registers it with cargo.
///
/// # Errors
///
/// If the name or the queue is invalid or exists, or if a file cannot be written.
pub fn consumer(service: &Service, consumer: &NewConsumer) -> Result<Created, Error> {
    consumer.check()?;
    consumer.refuse_known_queue(&template_without(service, &consumer.name)?)?;
    let (settings, model) = (service.settings(), service.settings().new.consumer_model.as_ref());
    let mut files = Vec::new();
    if let Some((path, text)) = example(service, settings.events.as_ref(), model, &consumer.name)? {
        files.push((path, examples::message(&text, consumer)?));
    }
    let text = skeleton::consumer(service, consumer)?;
    create(service, consumer.folder.as_deref(), &consumer.name, text, files)
}

fn create(
    service: &Service,
    folder: Option<&str>,
    name: &str,
    text: String,
    examples: Vec<(PathBuf, String)>,
) -> Result<Created, Error> {
    let set = service.settings().new.folder.as_deref();
    let folder = service.folder().join(folder.or(set).unwrap_or("src/bin"));
    if !folder.is_dir() {
        return Err(format!("there is no folder {}", folder.display()).into());
    }
    if service.other_binaries().contains(name) {
        return Err(format!("the workspace already has a binary {name}").into());
    }
    let source = folder.join(format!("{name}.rs"));
    let function = (source.clone(), text);
    let files: Vec<(PathBuf, String)> = [function].into_iter().chain(examples).collect();
    if let Some((known, _)) = files.iter().find(|(path, _)| path.exists()) {
        return Err(format!("{} already exists", known.display()).into());
    }
    if let Err(error) = write(service, &source, &files) {
        for (path, _) in &files {
            let _ = fs_err::remove_file(path);
        }
        // Cargo reads no manifest with a binary whose file is missing.
        let _ = codegen::register(service);
        return Err(error);
    }
    let files: Vec<PathBuf> = files.into_iter().map(|(path, _)| path).collect();
    refuse_unlisted(service, name, &files)?;
    Ok(Created { name: name.to_owned(), files })
}

/// Writes the files, formats the function, and registers it.
fn write(service: &Service, source: &Path, files: &[(PathBuf, String)]) -> Result<(), Error> {
    for (path, text) in files {
        fs_err::write(path, text)?;
    }
    // Other files of the package are not the command's to format.
    let mut rustfmt = Command::new("rustfmt");
    succeeded(rustfmt.args(["--edition", service.edition()]).arg(source))?;
    codegen::register(service)
}

/// Refuses a function that cargo does not find.
fn refuse_unlisted(service: &Service, name: &str, files: &[PathBuf]) -> Result<(), Error> {
    if service.again()?.binaries().contains_key(name) {
        return Ok(());
    }
    let files = files.iter().map(|file| service.name_of(file)).collect::<Vec<_>>().join(", ");
    let manifest = service.name_of(&service.folder().join("Cargo.toml"));
    Err(format!(
        "{files} written, but cargo finds no binary {name}: add its [[bin]] table to {manifest}, then \
         run cargo lifecycle codegen"
    )
    .into())
}

/// The template, which must not have a function of this name.
fn template_without(service: &Service, name: &str) -> Result<Template, Error> {
    let template = service.template()?;
    if template.binaries().contains(name) {
        return Err(format!("there is already a function {name}").into());
    }
    Ok(template)
}

/// The path of a function's new example, and the text of the model's. `None` if the settings name no
/// folder or no model.
fn example(
    service: &Service,
    folder: Option<&String>,
    model: Option<&String>,
    name: &str,
) -> Result<Option<(PathBuf, String)>, Error> {
    let (Some(folder), Some(model)) = (folder, model) else { return Ok(None) };
    let folder = service.path(folder);
    let text = fs_err::read_to_string(folder.join(format!("{model}.json")))?;
    Ok(Some((folder.join(format!("{name}.json")), text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Library;
    use crate::service::Location;

    #[test]
    fn an_existing_example_is_not_overwritten() {
        let library = Library::new("create");
        library.write("events/get_greeting.json", "by hand");
        let examples = [(library.path("events/get_greeting.json"), "generated".to_owned())];
        let service = library.service();
        let created = create(&service, None, "get_greeting", String::new(), examples.into());
        let refused = created.unwrap_err();
        assert!(refused.to_string().ends_with("get_greeting.json already exists"), "{refused}");
        assert_eq!(library.read("events/get_greeting.json"), "by hand");
        assert!(!library.path("lending/src/bin/get_greeting.rs").exists());
    }

    #[test]
    fn a_binary_of_another_package_is_no_name_for_a_function() {
        let library = Library::new("taken");
        let workspace = "[workspace]\nresolver = \"3\"\nmembers = [\"lending\", \"tools\"]\n";
        library.write("Cargo.toml", workspace);
        library.write("tools/Cargo.toml", "[package]\nname = \"tools\"\nedition = \"2024\"\n");
        library.write("tools/src/bin/count.rs", "fn main() {}\n");
        let package = Some("lending".to_owned());
        let service = Service::find(&Location { package, ..library.location() }).unwrap();
        let refused = create(&service, None, "count", String::new(), vec![]).unwrap_err();
        assert_eq!(refused.to_string(), "the workspace already has a binary count");
        assert!(!library.path("lending/src/bin/count.rs").exists());
    }

    #[test]
    fn the_new_file_is_formatted_and_others_are_left() {
        let library = Library::new("formatted");
        library.write("lending/src/bin/get_other.rs", "fn  main() {}\n");
        let service = library.service();
        let text = "fn  main( ) { }\n".to_owned();
        let created = create(&service, None, "get_greeting", text, vec![]).unwrap();
        assert_eq!(created.files, [library.path("lending/src/bin/get_greeting.rs")]);
        assert_eq!(library.read("lending/src/bin/get_greeting.rs"), "fn main() {}\n");
        assert_eq!(library.read("lending/src/bin/get_other.rs"), "fn  main() {}\n");
    }

    #[test]
    fn the_files_of_a_function_that_cannot_be_formatted_are_removed() {
        let library = Library::new("broken");
        library.write("events/get_book.json", "{}");
        let examples = [(library.path("events/get_greeting.json"), "{}".to_owned())];
        let text = "fn main( {".to_owned();
        let service = library.service();
        create(&service, None, "get_greeting", text, examples.into()).unwrap_err();
        assert!(!library.path("lending/src/bin/get_greeting.rs").exists());
        assert!(!library.path("events/get_greeting.json").exists());
    }

    #[test]
    fn a_function_that_cannot_be_registered_is_not_in_the_manifest() {
        let library = Library::new("unregistered");
        let markers = "<generated by cargo lifecycle codegen>\n# </generated>";
        library
            .set(&format!("generate-binaries = true\nmodules = \"lending/lib.rs\"\n# {markers}"));
        library.write("lending/lib.rs", &format!("// {markers}\n"));
        library.write("lending/books/README.md", "");
        // A folder has the place of the new file, so that the list of modules cannot be written.
        library.write(&format!("lending/.lib.rs.{}.new/file", std::process::id()), "");
        let service = library.service();
        let text = "fn main() {}\n".to_owned();
        create(&service, Some("books"), "get_greeting", text, vec![]).unwrap_err();
        assert!(!library.path("lending/books/get_greeting.rs").exists());
        assert!(!library.read("lending/Cargo.toml").contains("get_greeting"));
        assert!(service.again().is_ok());
    }

    #[test]
    fn a_function_whose_binary_cargo_does_not_find_is_an_error_with_the_manifest() {
        let library = Library::new("unlisted");
        library.write("lending/functions/README.md", "");
        let service = library.service();
        let created = create(&service, Some("functions"), "get_greeting", String::new(), vec![]);
        let refused = created.unwrap_err().to_string();
        assert!(refused.starts_with("lending/functions/get_greeting.rs written"), "{refused}");
        assert!(refused.contains("[[bin]] table to lending/Cargo.toml"), "{refused}");
    }
}
