fn main() -> std::process::ExitCode {
    conversations::sync_conversations::main()
}
