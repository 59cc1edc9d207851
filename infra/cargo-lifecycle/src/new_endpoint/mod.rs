//! `cargo lifecycle new-endpoint` and `new-consumer`: write the file of a function and its examples.

mod consumer;
mod create;
mod endpoint;
mod examples;
mod names;
mod skeleton;

use std::fmt::Write as _;

use tooling::say;

pub use self::consumer::NewConsumer;
pub use self::create::{Created, consumer, endpoint};
pub use self::endpoint::{Method, NewEndpoint};
use crate::service::Service;

/// Prints the files of a new function, whose declarations `codegen` has written, and the next steps.
pub fn print_next_steps(service: &Service, created: &Created) {
    let files = created.files.iter().map(|file| format!("\n  {}", service.name_of(file)));
    say(&format!("Written:{}\n", files.collect::<String>()));
    say(&next_steps(service, &created.name));
}

fn next_steps(service: &Service, name: &str) -> String {
    let (package, settings) = (service.package(), service.settings());
    let template = service.name_of(service.template_path());
    let mut steps = format!(
        "`cargo lifecycle codegen` has written its declarations into {template}. Next steps:

  cargo test --package {package} {name}
  cargo lifecycle codegen     writes the declarations again, after each change"
    );
    if let Some(document) = &settings.openapi.document {
        let _ = write!(steps, "\n  cargo lifecycle openapi     describes endpoints in {document}");
    }
    if let Some(guide) = &settings.new.guide {
        let _ = write!(steps, "\n\n{guide} describes the next steps.");
    }
    steps
}
