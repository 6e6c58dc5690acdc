fn main() -> std::process::ExitCode {
    conversations::list_conversations::main()
}
