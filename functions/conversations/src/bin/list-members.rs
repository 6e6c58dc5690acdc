fn main() -> std::process::ExitCode {
    conversations::list_members::main()
}
