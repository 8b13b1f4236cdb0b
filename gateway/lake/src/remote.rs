//! Objects in S3, Google Cloud Storage and Azure Blob Storage.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt, parse_url_opts};
use url::Url;

use crate::error::{LakeError, Result};

type Options = [(String, String)];

/// The objects at a URL: itself, or all that it is a folder of.
pub fn list(url: &str, options: &Options) -> Result<Vec<String>> {
    let (base, store, path) = open(url, options)?;
    let fault = |source| LakeError::Remote { url: url.to_owned(), source };
    block_on(async {
        if !url.ends_with('/') && store.head(&path).await.is_ok() {
            return Ok(vec![url.to_owned()]);
        }
        let mut objects: Vec<_> = store.list(Some(&path)).try_collect().await.map_err(fault)?;
        objects.retain(|object: &object_store::ObjectMeta| object.size > 0);
        objects.sort_by(|a, b| a.location.cmp(&b.location));
        if objects.is_empty() {
            return Err(LakeError::InputMissing(url.to_owned()));
        }
        let origin = format!("{}://{}", base.scheme(), base.host_str().unwrap_or_default());
        Ok(objects.iter().map(|object| format!("{origin}/{}", object.location)).collect())
    })
}

/// Copies an object into a file.
pub fn download(url: &str, options: &Options, to: &Path) -> Result<()> {
    let (_, store, path) = open(url, options)?;
    let fault = |source| LakeError::Remote { url: url.to_owned(), source };
    let write_fault = |source| LakeError::io("write", to, source);
    block_on(async {
        let mut stream = store.get(&path).await.map_err(fault)?.into_stream();
        let mut file = std::fs::File::create(to).map_err(write_fault)?;
        while let Some(chunk) = stream.next().await {
            file.write_all(&chunk.map_err(fault)?).map_err(write_fault)?;
        }
        Ok(())
    })
}

fn open(url: &str, options: &Options) -> Result<(Url, Arc<dyn ObjectStore>, ObjectPath)> {
    let parsed = Url::parse(url).map_err(|_| LakeError::InputPattern(url.to_owned()))?;
    let (store, path) = parse_url_opts(&parsed, options.iter().map(|(key, value)| (key.as_str(), value.as_str())))
        .map_err(|source| LakeError::Remote { url: url.to_owned(), source })?;
    Ok((parsed, store.into(), path))
}

fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| LakeError::io("start", Path::new("the network runtime"), source))?;
    runtime.block_on(work)
}
