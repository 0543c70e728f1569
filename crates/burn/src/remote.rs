//! The operations on tensors of another machine, and the server that runs them there.

use burn::backend::ir::{BackendIr, CustomOpIr, OperationIr, TensorIr};
#[cfg(feature = "remote-server")]
use burn::server::RemoteServer;
use burn_remote::RemoteChannel;
use burn_router::{BackendRouter, RouterChannel, RouterClient, RouterTensor};
use unpool::{Geometry, IndexSpace, Overlap};

use crate::backend::MaxPoolBackend;
use crate::deferred::{Operation, decode, encode};

type Tensor = RouterTensor<<RemoteChannel as RouterChannel>::Client>;

impl MaxPoolBackend for BackendRouter<RemoteChannel> {
    fn max_pool(input: Tensor, geometry: Geometry) -> (Tensor, Tensor) {
        let mut results = send(Operation::MaxPool, &geometry, vec![input]).into_iter();
        (results.next().expect("the values"), results.next().expect("the taps"))
    }

    fn max_pool_values(input: Tensor, geometry: Geometry) -> Tensor {
        send(Operation::MaxPoolValues, &geometry, vec![input]).remove(0)
    }

    fn max_unpool(values: Tensor, taps: Tensor, geometry: Geometry, overlap: Overlap) -> Tensor {
        send(Operation::MaxUnpool(overlap), &geometry, vec![values, taps]).remove(0)
    }

    fn gather(unpooled: Tensor, taps: Tensor, geometry: Geometry) -> Tensor {
        send(Operation::Gather, &geometry, vec![unpooled, taps]).remove(0)
    }

    fn taps_to_indices(taps: Tensor, geometry: Geometry, space: IndexSpace) -> Tensor {
        send(Operation::TapsToIndices(space), &geometry, vec![taps]).remove(0)
    }
}

/// Sends an operation to the server, and returns tensors that will have its results there.
fn send(operation: Operation, geometry: &Geometry, inputs: Vec<Tensor>) -> Vec<Tensor> {
    use burn::backend::TensorMetadata as _;
    let (client, dtype) = (inputs[0].client.clone(), inputs[0].dtype());
    let results = operation.results(geometry, dtype).into_iter();
    let outputs = results
        .map(|(shape, dtype)| TensorIr::uninit(client.create_empty_handle(), shape, dtype))
        .collect();
    client.register(OperationIr::Custom(CustomOpIr {
        id: operation.id().to_owned(),
        inputs: inputs.into_iter().map(Tensor::into_ir).collect(),
        outputs,
        scalars: encode(geometry),
    }))
}

/// A server with the operations of this crate.
#[cfg(feature = "remote-server")]
pub trait ServeMaxPool: Sized {
    /// Runs this crate's operations for clients, on the devices of backend `B`, which must be the one that
    /// the server hosts.
    ///
    /// ```no_run
    /// use burn::backend::Flex;
    /// use burn::server::{RemoteServer, WebSocketTransport};
    /// use burn::tensor::Device;
    /// use unpool_burn::ServeMaxPool;
    ///
    /// let server = RemoteServer::new([Device::flex()]).with_max_pool::<Flex>();
    /// server.serve(WebSocketTransport::new(3000))?;
    /// # Ok::<(), burn::server::ServeError>(())
    /// ```
    #[must_use]
    fn with_max_pool<B: MaxPoolBackend + BackendIr>(self) -> Self;
}

#[cfg(feature = "remote-server")]
impl ServeMaxPool for RemoteServer {
    fn with_max_pool<B: MaxPoolBackend + BackendIr>(self) -> Self {
        Operation::all().fold(self, |server, operation| {
            server.with_custom_op::<B, _>(operation.id(), move |handles, ir, _device| {
                let geometry = decode(&ir.scalars)
                    .unwrap_or_else(|error| panic!("{} of a client: {error}", operation.id()));
                operation.run::<B>(geometry, &ir.inputs, &ir.outputs, handles);
            })
        })
    }
}
