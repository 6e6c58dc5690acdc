fn main() -> std::process::ExitCode {
    messages::list_changes::main()
}
