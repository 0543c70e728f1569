//! A plan on a device: forward, what layers responded with, and back to the input.

use std::collections::HashMap;

#[cfg(not(target_arch = "wasm32"))]
use unpool::Engine;
use unpool::Gpu;

use crate::back::Back;
use crate::cpu::Cpu;
use crate::error::{Error, extents};
use crate::gpu::GpuMachine;
use crate::keep::Keep;
use crate::machine::{Bound, Machine};
use crate::plan::Plan;
use crate::program::{Arena, BufferId, Content, Instruction, SlotId};
use crate::reading::{Numbers, Reading};
use crate::rule::Rule;
use crate::target::Target;

/// Bytes that a session asked its device for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Weights.
    pub weights: u64,
    /// Tensors, forward and back, which share where they can.
    pub tensors: u64,
    /// What tensors, forward and of the longest way back, would have needed, had they not shared.
    pub unshared: u64,
}

/// A plan on a device.
///
/// ```no_run
/// use unpool_cnn::{Engine, Keep, Model, Rule, Session, Target};
///
/// let plan = Model::open("digits.onnx")?.plan(&[1, 1, 32, 32])?;
/// let mut session = Session::new(&Engine::detect(), plan, Keep::All)?;
/// session.forward(&[0.5; 32 * 32])?;
/// let seen = session.look_back("relu3", Target::Strongest(0), Rule::Guided)?;
/// assert_eq!(seen.map.shape, [1, 1, 32, 32]);
/// # Ok::<(), unpool_cnn::Error>(())
/// ```
pub struct Session {
    plan: Plan,
    machine: Box<dyn Machine>,
    kept: Vec<bool>,
    looked_back_from: Vec<bool>,
    arena: Arena,
    /// The machine's number of each piece of the arena.
    pieces: Vec<BufferId>,
    given: Vec<Option<BufferId>>,
    taken: Vec<bool>,
    memory: Memory,
    /// Bytes of the tensors of the longest way back so far.
    longest_back: u64,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("memory", &self.memory).finish_non_exhaustive()
    }
}

impl Session {
    /// Uploads the weights and asks for memory.
    ///
    /// # Errors
    ///
    /// If a layer to keep is not there, or the device does not give the memory.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn new(engine: &Engine, plan: Plan, keep: Keep<'_>) -> Result<Self, Error> {
        match engine {
            Engine::Gpu(gpu) => Self::on_gpu(gpu, plan, keep),
            _ => Self::on_cpu(plan, keep),
        }
    }

    /// A session on the CPU.
    ///
    /// # Errors
    ///
    /// If a layer to keep is not there, or there is not so much memory.
    pub fn on_cpu(plan: Plan, keep: Keep<'_>) -> Result<Self, Error> {
        Self::on(Box::new(Cpu::default()), plan, keep)
    }

    /// A session on a device, which may be the application's own.
    ///
    /// # Errors
    ///
    /// If a layer to keep is not there, or the device does not give the memory.
    pub fn on_gpu(gpu: &Gpu, plan: Plan, keep: Keep<'_>) -> Result<Self, Error> {
        Self::on(Box::new(GpuMachine::new(gpu)), plan, keep)
    }

    fn on(machine: Box<dyn Machine>, plan: Plan, keep: Keep<'_>) -> Result<Self, Error> {
        let kept = keep.kept(&plan)?;
        let mut session = Self {
            given: vec![None; plan.slots.len()],
            plan,
            machine,
            looked_back_from: keep.looked_back_from(&kept),
            kept,
            arena: Arena::default(),
            pieces: Vec::new(),
            taken: Vec::new(),
            memory: Memory { weights: 0, tensors: 0, unshared: 0 },
            longest_back: 0,
        };
        session.place_weights()?;
        let pinned = keep.pinned(&session.plan, &session.kept);
        let input = session.plan.input.slot;
        session.arena.sizes.push(session.plan.slots[input].bytes);
        session.given[input] = Some(session.arena.sizes.len() - 1);
        let mut given = std::mem::take(&mut session.given);
        let slots = &session.plan.slots;
        let taken = vec![true; session.arena.sizes.len()];
        session.arena.assign(
            &session.plan.instructions,
            |slot| slots[slot].bytes,
            |slot| pinned[slot],
            &mut given,
            &taken,
        );
        session.taken = vec![false; session.arena.sizes.len()];
        for (slot, buffer) in given.iter().enumerate() {
            let lasts = pinned[slot] || slot == input;
            if let Some(buffer) = buffer.filter(|_| lasts || session.is_weights(slot)) {
                session.taken[buffer] = true;
            }
            if buffer.is_some() && !session.is_weights(slot) {
                session.memory.unshared += session.plan.slots[slot].bytes;
            }
        }
        session.given = given;
        session.allocate()?;
        Ok(session)
    }

    fn is_weights(&self, slot: SlotId) -> bool {
        matches!(self.plan.slots[slot].content, Content::Weights { .. })
    }

    /// Uploads each part of the weights once.
    fn place_weights(&mut self) -> Result<(), Error> {
        let mut placed = HashMap::new();
        for slot in 0..self.plan.slots.len() {
            let Content::Weights { data, part } = &self.plan.slots[slot].content else { continue };
            let key = (std::sync::Arc::as_ptr(data), part.clone());
            let buffer = match placed.get(&key) {
                Some(&buffer) => buffer,
                None => {
                    let bytes = self.plan.slots[slot].bytes;
                    let piece = self.machine.allocate(bytes)?;
                    self.machine.write(piece, &data[part.clone()])?;
                    self.memory.weights += bytes;
                    self.arena.sizes.push(bytes);
                    self.pieces.push(piece);
                    placed.insert(key, self.arena.sizes.len() - 1);
                    self.arena.sizes.len() - 1
                }
            };
            self.given[slot] = Some(buffer);
        }
        Ok(())
    }

    /// Asks the device for the pieces that the arena has and it has not.
    fn allocate(&mut self) -> Result<(), Error> {
        for piece in self.pieces.len()..self.arena.sizes.len() {
            let bytes = self.arena.sizes[piece];
            let made = self.machine.allocate(bytes).map_err(|error| self.named(error, piece))?;
            self.pieces.push(made);
            self.memory.tensors += bytes;
        }
        Ok(())
    }

    /// A refusal of memory with the node that it was for.
    fn named(&self, error: Error, piece: BufferId) -> Error {
        let Error::Memory { needed, allowed, .. } = error else { return error };
        let here = |slot: &SlotId| self.given.get(*slot) == Some(&Some(piece));
        let node = self.plan.instructions.iter().find(|i| i.writes.iter().any(here));
        let layer = node.and_then(|i| self.plan.layers.get(i.layer));
        let tensor = match layer {
            Some(layer) => format!("node {:?} ({}): a tensor", layer.name, layer.operator),
            None => "a tensor of the way back".into(),
        };
        Error::Memory { tensor, needed, allowed }
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What the device was asked for so far.
    pub fn memory(&self) -> Memory {
        Memory { unshared: self.memory.unshared + self.longest_back, ..self.memory }
    }

    /// Runs the model on images of [`Plan::input_shape`].
    ///
    /// # Errors
    ///
    /// If there are more or fewer elements, or the device fails.
    pub fn forward(&mut self, images: &[f32]) -> Result<(), Error> {
        let shape = self.plan.input_shape();
        let needed: usize = shape.iter().product();
        if images.len() != needed {
            return Err(Error::Input {
                found: format!("{} elements", images.len()),
                allowed: format!("{needed} are needed for {}", extents(shape)),
            });
        }
        let Some(input) = self.given[self.plan.input.slot] else { return Ok(()) };
        self.machine.write(self.pieces[input], images)?;
        let program = bind(&self.plan.instructions, &self.given, &self.pieces);
        self.machine.run(&program)
    }

    pub(crate) fn read_layer(&mut self, layer: usize) -> Result<Reading, Error> {
        let tensor = &self.plan.layers[layer].tensor;
        let len = tensor.shape.iter().product();
        let (shape, buffer) = (tensor.shape.clone(), self.given[tensor.slot]);
        let numbers = match buffer {
            Some(buffer) => self.machine.read(self.pieces[buffer], len)?,
            None => Numbers::Here(Vec::new()),
        };
        Ok(Reading { shape, numbers })
    }

    /// The number of a kept layer.
    pub(crate) fn kept_index(&self, layer: &str) -> Result<usize, Error> {
        self.index_among(&self.kept, layer, "")
    }

    /// The number of a layer that was kept with what the way back from there reads.
    fn looked_back_index(&self, layer: &str) -> Result<usize, Error> {
        self.index_among(&self.looked_back_from, layer, " to look back from")
    }

    fn index_among(&self, allowed: &[bool], layer: &str, what: &str) -> Result<usize, Error> {
        let index = self.plan.index(layer)?;
        if allowed[index] {
            return Ok(index);
        }
        let names = self.plan.layers.iter().zip(allowed).filter(|(_, allowed)| **allowed);
        let names: Vec<_> = names.map(|(layer, _)| layer.name()).collect();
        let names = if names.is_empty() { "none".into() } else { names.join(", ") };
        Err(Error::NotKept { layer: layer.into(), allowed: names + what })
    }

    /// The number of a kept layer that has what is meant.
    pub(crate) fn index_with(&self, layer: &str, target: Target) -> Result<usize, Error> {
        let index = self.looked_back_index(layer)?;
        target.check(&self.plan.layers[index])?;
        Ok(index)
    }

    /// The number of a kept layer that has as many elements as a signal.
    pub(crate) fn index_for(&self, layer: &str, signal: &[f32]) -> Result<usize, Error> {
        let index = self.looked_back_index(layer)?;
        let shape = self.plan.layers[index].shape();
        let needed: usize = shape.iter().product();
        if signal.len() != needed {
            return Err(Error::Target {
                layer: layer.into(),
                found: format!("a signal of {} elements", signal.len()),
                allowed: format!("{needed} are needed for {}", extents(shape)),
            });
        }
        Ok(index)
    }

    pub(crate) fn send_back_from(
        &mut self,
        layer: usize,
        signal: &[f32],
        rule: Rule,
    ) -> Result<Reading, Error> {
        let back = Back::new(&self.plan, layer, rule);
        let count = self.plan.slots.len();
        let bytes = |slot: SlotId| match slot.checked_sub(count) {
            Some(own) => back.slots[own].bytes,
            None => self.plan.slots[slot].bytes,
        };
        let shape = self.plan.input_shape().to_vec();
        let len = shape.iter().product();
        let Some(result) = back.result else {
            return Ok(Reading { shape, numbers: Numbers::Here(vec![0.0; len]) });
        };
        let own = back.slots.iter().map(|slot| slot.bytes).sum();
        self.longest_back = self.longest_back.max(own);
        let mut given = self.given.clone();
        given.resize(count + back.slots.len(), None);
        // The seed is written from outside, so its piece must not be one that is handed on before
        // it is read; a piece of its own is the simplest.
        let seed = self.arena.sizes.iter().enumerate().position(|(i, &size)| {
            !self.taken.get(i).copied().unwrap_or(false) && size >= bytes(back.seed)
        });
        let seed = seed.unwrap_or_else(|| {
            self.arena.sizes.push(bytes(back.seed));
            self.arena.sizes.len() - 1
        });
        given[back.seed] = Some(seed);
        let mut taken = self.taken.clone();
        taken.resize(self.arena.sizes.len(), false);
        taken[seed] = true;
        let pinned = |slot: SlotId| slot == result;
        self.arena.assign(&back.instructions, bytes, pinned, &mut given, &taken);
        self.allocate()?;
        self.machine.write(self.pieces[seed], signal)?;
        let program = bind(&back.instructions, &given, &self.pieces);
        self.machine.run(&program)?;
        let numbers = match given[result] {
            Some(buffer) => self.machine.read(self.pieces[buffer], len)?,
            None => Numbers::Here(Vec::new()),
        };
        Ok(Reading { shape, numbers })
    }
}

fn bind<'a>(
    instructions: &'a [Instruction],
    given: &[Option<BufferId>],
    pieces: &[BufferId],
) -> Vec<Bound<'a>> {
    let numbers = |slots: &[SlotId]| {
        slots.iter().filter_map(|&slot| given[slot]).map(|buffer| pieces[buffer]).collect()
    };
    let bound = |instruction: &'a Instruction| Bound {
        kernel: &instruction.kernel,
        reads: numbers(&instruction.reads),
        writes: numbers(&instruction.writes),
    };
    instructions.iter().map(bound).collect()
}
