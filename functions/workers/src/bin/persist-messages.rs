fn main() -> std::process::ExitCode {
    workers::persist_messages::main()
}
