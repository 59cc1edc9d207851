//! The functions and their descriptions.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::PathBuf;

use tooling::Error;
use tooling::descriptions::{Description, Source};

use super::names::logical_id;
use crate::service::Service;

/// The period of the alarm on missing runs, in seconds.
const SILENCE_S_MAX: u32 = 300;

/// A function. They are ordered by folder and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Function {
    /// The folder of its file in the package: `people`.
    pub(super) folder: String,
    /// The name of the binary: `get_user`.
    pub(super) name: String,
}

/// All functions: the package's binaries. If their tables are generated, each file in a folder of the
/// package is one. The setting `exclude` names binaries and files that are none.
///
/// # Errors
///
/// If the folders cannot be read.
pub(super) fn functions(service: &Service) -> Result<Vec<Function>, Error> {
    let mut functions = if service.settings().generate_binaries {
        files(service)?
    } else {
        let binaries = service.binaries().iter();
        let function = |(name, file): (&String, &PathBuf)| Function {
            folder: service.group(file),
            name: name.clone(),
        };
        binaries.map(function).collect()
    };
    functions.retain(|function| !service.settings().exclude.contains(&function.name));
    functions.sort();
    Ok(functions)
}

/// The files in the folders of the package.
fn files(service: &Service) -> Result<Vec<Function>, Error> {
    let mut functions = Vec::new();
    for folder in fs_err::read_dir(service.folder())? {
        let folder = folder?;
        if !folder.file_type()?.is_dir() {
            continue;
        }
        for file in fs_err::read_dir(folder.path())? {
            let path = file?.path();
            let name = path.file_stem().and_then(OsStr::to_str);
            if let (Some("rs"), Some(name)) = (path.extension().and_then(OsStr::to_str), name) {
                let folder = folder.file_name().to_string_lossy().into_owned();
                functions.push(Function { folder, name: name.to_owned() });
            }
        }
    }
    Ok(functions)
}

/// A function with its description.
#[derive(Debug, Clone, Copy)]
pub(super) struct Declared<'a> {
    pub(super) function: &'a Function,
    pub(super) description: &'a Description,
}

impl<'a> Declared<'a> {
    /// The functions with their descriptions.
    ///
    /// # Errors
    ///
    /// If a function has none.
    pub(super) fn of(
        functions: &'a [Function],
        descriptions: &'a BTreeMap<String, Description>,
    ) -> Result<Vec<Self>, Error> {
        let declared = |function: &'a Function| -> Result<Self, Error> {
            let description = descriptions.get(&function.name);
            let description =
                description.ok_or_else(|| format!("{} is not described", function.name))?;
            Ok(Self { function, description })
        };
        functions.iter().map(declared).collect()
    }

    /// The name of its binary.
    pub(super) fn name(&self) -> &'a str {
        &self.function.name
    }

    /// Its logical id: `GetUserFunction`.
    pub(super) fn id(&self) -> String {
        logical_id(self.name(), "Function")
    }

    /// The queue whose messages it consumes.
    pub(super) fn queue(&self) -> Option<&'a str> {
        match &self.description.source {
            Some(Source::Queue(queue)) => Some(queue),
            Some(Source::Stream(_) | Source::Schedule(_) | Source::Event(_)) | None => None,
        }
    }

    /// The table whose stream it consumes.
    pub(super) fn streamed(&self) -> Option<&'a str> {
        match &self.description.source {
            Some(Source::Stream(table)) => Some(table),
            Some(Source::Queue(_) | Source::Schedule(_) | Source::Event(_)) | None => None,
        }
    }

    /// The queue, or the table whose stream it consumes.
    pub(super) fn feed(&self) -> Option<&'a str> {
        match &self.description.source {
            Some(Source::Queue(name) | Source::Stream(name)) => Some(name),
            Some(Source::Schedule(_) | Source::Event(_)) | None => None,
        }
    }

    /// The events of another service that it consumes.
    pub(super) fn event(&self) -> Option<&'a str> {
        match &self.description.source {
            Some(Source::Event(name)) => Some(name),
            Some(Source::Queue(_) | Source::Stream(_) | Source::Schedule(_)) | None => None,
        }
    }

    /// Whether a schedule runs it at least once in the period of the alarm on missing runs.
    pub(super) fn runs_often(&self) -> bool {
        match &self.description.source {
            Some(Source::Schedule(schedule)) => schedule.event_age_max_seconds <= SILENCE_S_MAX,
            Some(Source::Queue(_) | Source::Stream(_) | Source::Event(_)) | None => false,
        }
    }

    /// Whether a schedule runs it.
    pub(super) fn is_scheduled(&self) -> bool {
        matches!(self.description.source, Some(Source::Schedule(_)))
    }
}
