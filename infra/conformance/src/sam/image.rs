//! A substitute for Lambda's runtime image: this machine's C library, and the shell programs that
//! SAM needs. It needs no registry.

use fs_err as fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use tooling::Error;
use tooling::context::Context;

use tokio::process::Command;

use super::engine::Engine;

/// The base image that SAM uses for our template's runtime.
const IMAGE: &str = "public.ecr.aws/lambda/provided:al2023-x86_64";

/// The programs that SAM runs while it builds its image.
const PROGRAMS: [&str; 6] = ["chmod", "cp", "mkdir", "mv", "rm", "sh"];

/// Imports the image into the engine, with the libraries that this binary is linked to.
pub(super) async fn stand_in(engine: &Engine, binary: &Path) -> Result<(), Error> {
    let image = std::env::temp_dir().join(format!("image-{}", std::process::id()));
    let brought = bring_in(engine, binary, &image).await;
    fs::remove_dir_all(&image)?;
    brought
}

/// Runs a container that does nothing: on some kernels an engine starts, but cannot run containers.
pub(super) async fn run(engine: &Engine) -> Result<(), Error> {
    engine.said(&["run", "--rm", IMAGE, "sh", "-c", ":"]).await.map(drop)
}

async fn bring_in(engine: &Engine, binary: &Path, image: &Path) -> Result<(), Error> {
    let root = image.join("root");
    for folder in ["bin", "tmp", "var/task"] {
        fs::create_dir_all(root.join(folder))?;
    }
    let busybox =
        Command::new("which").arg("busybox").output().await.context(|| "which busybox")?;
    let busybox = PathBuf::from(String::from_utf8(busybox.stdout)?.trim());
    fs::copy(&busybox, root.join("bin/busybox"))?;
    for program in PROGRAMS {
        symlink("busybox", root.join("bin").join(program))?;
    }
    for library in [libraries(binary).await?, libraries(&busybox).await?].concat() {
        let inside = root.join(library.strip_prefix("/")?);
        fs::create_dir_all(inside.parent().ok_or("a library has a folder")?)?;
        fs::copy(&library, inside)?;
    }
    let archive = image.join("root.tar");
    let packed =
        Command::new("tar").arg("-C").arg(&root).arg("-cf").arg(&archive).arg(".").status();
    if !packed.await?.success() {
        return Err("tar failed".into());
    }
    let archive = archive.display().to_string();
    let settings = ["-c", "WORKDIR /var/task", "-c", "ENV PATH=/bin"];
    engine.said(&[&["import"], &settings[..], &[&archive, IMAGE]].concat()).await.map(drop)
}

/// The shared libraries of a binary, with the loader; none if it is linked statically.
async fn libraries(binary: &Path) -> Result<Vec<PathBuf>, Error> {
    let listed = Command::new("ldd").arg(binary).output().await;
    let listed = listed.context(|| format!("ldd {}", binary.display()))?;
    let listed = String::from_utf8(listed.stdout)?;
    let paths = listed.split_whitespace().filter(|word| word.starts_with('/'));
    Ok(paths.map(PathBuf::from).collect())
}
