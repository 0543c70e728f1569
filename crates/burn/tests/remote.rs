//! Two servers in processes of their own, on loopback: a step of a SegNet on both, against one process.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use burn::backend::Flex;
use burn::remote::RemoteHost;
use burn::server::{RemoteServer, WebSocketTransport};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{DType, Device, Tensor, module};
use unpool_burn::{IndexSpace, Overlap, ServeMaxPool, max_pool2d, max_unpool2d};

use crate::tensors::{Lies, bytes, finite, integers, read, tensor};

/// What a server process runs. Only a test that starts one asks for it.
#[test]
#[ignore = "it serves until its process is ended"]
fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port of loopback");
    println!("serving {}", listener.local_addr().expect("it is bound"));
    let server = RemoteServer::new([Device::flex()]).with_max_pool::<Flex>();
    server.serve(WebSocketTransport::from_listener(listener)).expect("it serves");
}

/// A process that is ended with the test.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start() -> Self {
        let mut process = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "remote::serve", "--ignored", "--nocapture"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let output = BufReader::new(process.stdout.take().expect("it is piped"));
        let address = output
            .lines()
            .map_while(Result::ok)
            .find_map(|line| Some(line.split_once("serving ")?.1.to_owned()));
        Self { process, url: format!("ws://{}", address.expect("it tells its address")) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The output, the indices, and the gradients of input and filters.
fn segnet_step(device: &Device, seed: u32) -> (Vec<u8>, Vec<i32>, Vec<u8>, Vec<u8>) {
    let device = device.clone().autodiff();
    let of = |dims: [usize; 4], seed| {
        let numbers = bytes(&finite(dims.iter().product(), seed), DType::F32);
        tensor::<4>(&numbers, dims, DType::F32, Lies::ChannelsFirst, &device)
    };
    let image = of([2, 3, 13, 11], seed).require_grad();
    let filters = of([4, 3, 3, 3], 2).require_grad();
    let options = || ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
    let features = module::conv2d(image.clone(), filters.clone(), None, options());
    let (values, taps) = max_pool2d(features, 2);
    let restored: Tensor<4> = max_unpool2d(values, &taps, Overlap::Last);
    let indices = integers(taps.to_indices(IndexSpace::Plane));
    let grads = (restored.clone() * restored.clone()).sum().backward();
    let gradient = |x: &Tensor<4>| read(x.grad(&grads).expect("a gradient"), Lies::ChannelsFirst);
    (read(restored, Lies::ChannelsFirst), indices, gradient(&image), gradient(&filters))
}

#[test]
fn a_step_on_two_servers_has_the_bits_of_one_process() {
    let servers = [Server::start(), Server::start()];
    for (seed, server) in (5..).zip(&servers) {
        let host = RemoteHost::websocket(&server.url);
        let device = Device::remote_options(&host).init().expect("it answers");
        assert_eq!(segnet_step(&device, seed), segnet_step(&Device::flex(), seed));
        // Again, from what the server keeps of the first time.
        assert_eq!(segnet_step(&device, seed), segnet_step(&Device::flex(), seed));
    }
}
