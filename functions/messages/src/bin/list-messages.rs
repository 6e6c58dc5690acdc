fn main() -> std::process::ExitCode {
    messages::list_messages::main()
}
